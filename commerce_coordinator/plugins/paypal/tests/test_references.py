"""A payment is found by its id as soon as its capture was told of: no worker need have run."""

from typing import Any

import pytest

from commerce_coordinator.core import trace
from commerce_coordinator.core.deliveries.models import Dispatch

from ..signals import payment_captured

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("account", ["", "second"])
def test_a_payment_is_found_by_its_id_in_each_account(settings: Any, account: str) -> None:
    settings.CC_PAYPAL = {"": {}, "second": {}}
    key = payment_captured.business_key({"provider": "paypal", "account": account, "payment_id": "p:1"})
    assert key == f"paypal:{account}:p%3A1"
    sent = Dispatch.objects.create(signal=payment_captured.name, dedupe_key=key, subject="EDX-1", origin="web")
    later = Dispatch.objects.create(signal="refunded", dedupe_key="k", subject="EDX-1", origin="web")
    assert [each.key for each in trace.find("p:1")] == [sent.pk, later.pk]
    assert trace.find("p:2") == []
