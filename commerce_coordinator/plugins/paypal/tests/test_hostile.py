"""No mutation of a valid request is believed, stored or answered 5xx, and none makes us fetch what we should not."""

import os
import sys
from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .. import certificates
from ..models import PayPalCertificate
from ..webhooks import PayPalWebhookView
from . import hostile
from .paypal_events import CERT_URL, LIVE_CERT_URL, PayPalServer, post

pytestmark = pytest.mark.django_db

COUNT, SEED = (int(each) for each in os.environ.get("CC_HOSTILE", "500 1").split())


def cool() -> None:
    certificates.forget_all()
    PayPalCertificate.objects.all().delete()


def test_no_mutation_is_believed(paypal: PayPalServer, capsys: pytest.CaptureFixture[str]) -> None:
    figures = hostile.run(COUNT, SEED, paypal, cool)
    if "CC_HOSTILE" in os.environ:
        with capsys.disabled():
            sys.stdout.write(f"\n{figures}\n")
    assert figures.wrong == []
    assert figures.answers[200] == 0
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (0, 0)
    assert set(PayPalCertificate.objects.values_list("url", flat=True)) <= {CERT_URL, LIVE_CERT_URL}
    assert set(figures.kinds) == set(hostile.MUTATIONS)
    # The request that all of them were made of is believed.
    assert post(hostile.BODY, headers=hostile.HEADERS).status_code == 200


def test_a_view_that_believes_everything_is_found_out(paypal: PayPalServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(PayPalWebhookView, "verify", lambda *_: None)
    assert hostile.run(50, SEED, paypal, cool).wrong
