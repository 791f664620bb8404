"""Whatever happens to an order's money, and in whatever order it is told: access and refunds are as the model says.

    MONEY_HISTORIES=10000 MONEY_SEED=1 python -m pytest commerce_coordinator/tests/money -k stripe

plays more of them. A seed that fails is named, and `MONEY_HISTORIES=1 MONEY_SEED=<seed>` plays it alone.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from openedx_filters import PipelineStep

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.testing import filters_as
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine
from commerce_coordinator.plugins.demo_lms.purchase import signed
from commerce_coordinator.plugins.fulfillment.filters import OrderDetailsRequested
from commerce_coordinator.plugins.fulfillment.models import Refund
from commerce_coordinator.plugins.lms.tests.conftest import forget_client
from commerce_coordinator.plugins.lms.tests.fake_lms import FakeLms, running_lms
from commerce_coordinator.plugins.paypal import certificates
from commerce_coordinator.plugins.paypal.models import PayPalCertificate
from commerce_coordinator.plugins.paypal.tests import paypal_events, pki

from . import histories, model
from .paypal_wire import PayPalWire
from .playing import play
from .stripe_wire import StripeWire

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.needs_plugins("stripe", "paypal", "fulfillment", "lms", "notifications"),
]

HISTORIES = int(os.environ.get("MONEY_HISTORIES", "50"))
SEED = int(os.environ.get("MONEY_SEED", "1"))
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_oracle"


class Shop(PipelineStep):
    """The system of record: it knows the one order that is played."""

    order: model.History

    def run_filter(self, *, order_number: str, **_: Any) -> dict[str, Any]:
        order = Shop.order
        if order_number != order.order_number:
            return {}
        lines = tuple(
            OrderLine(
                line_number=line.number,
                course_key=line.course,
                mode=line.mode,
                price=Money(amount=line.price, currency=order.currency),
            )
            for line in order.lines
        )
        details = OrderDetails(
            order_number=order_number,
            owed=Money(amount=order.owed, currency=order.currency),
            lines=lines,
            source="shop",
            lms_user_id=order.lms_user_id,
            username=order.username,
            email=f"{order.username}@example.com",
        )
        return {"details": details}


@pytest.fixture
def lms(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeLms]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.CC_STRIPE_SECRETS = {"": [SECRET]}
    settings.CC_STRIPE_LIVEMODE = None
    settings.CC_PAYPAL = {"": paypal_events.ACCOUNTS[""]}
    settings.CC_PAYPAL_TRUSTED_ROOTS = str(pki.write_roots(tmp_path))
    PayPalCertificate.objects.create(url=paypal_events.CERT_URL, pem=pki.chain().decode(), fetched_at=NOON)
    certificates.forget_all()
    settings.CC_OPERATOR_EMAILS = ["operator@example.com"]
    forget_client()
    with running_lms() as running, filters_as({OrderDetailsRequested.filter_type: [Shop]}):
        settings.CC_LMS_URL_ROOT = running.url
        yield running
        forget_client()
    certificates.forget_all()


def post_to_stripe(event: dict[str, Any]) -> int:
    body, headers = signed(event, SECRET, at=int(datetime.now(UTC).timestamp()))
    content_type = headers.pop("Content-Type")
    return Client().post("/stripe/webhook/", body, content_type=content_type, headers=headers).status_code


def post_to_paypal(event: dict[str, Any]) -> int:
    status: int = paypal_events.post(event).status_code
    return status


WIRES = {"stripe": (StripeWire, post_to_stripe), "paypal": (PayPalWire, post_to_paypal)}


@pytest.mark.timeout(120 + HISTORIES)
@pytest.mark.parametrize("provider", WIRES)
def test_access_and_refunds_are_as_the_model_says(provider: str, lms: FakeLms) -> None:
    wire, post = WIRES[provider]
    met: Counter[str] = Counter()
    for seed in range(SEED, SEED + HISTORIES):
        history = histories.history(seed)
        chance = random.Random(f"{provider} {seed}")
        Shop.order = history
        lms.enrolled.clear()
        lms.calls.clear()
        sid = transaction.savepoint()
        with time_machine.travel(NOON, tick=False) as clock:
            play(wire(history, chance).events(), post, chance, clock)
            compare(history, lms, with_disputes=provider == "paypal")
        met.update(kinds_of(history))
        transaction.savepoint_rollback(sid)
    assert HISTORIES < 50 or all(met[kind] for kind in KINDS), f"Never met: {[k for k in KINDS if not met[k]]}"


def compare(history: model.History, lms: FakeLms, *, with_disputes: bool) -> None:
    """Raises AssertionError naming the seed."""
    access = {(course, each["mode"]) for (_, course), each in lms.enrolled.items() if each["is_active"]}
    refunded = sum(each.amount for each in Refund.objects.filter(is_dispute=False, failed_at=None))
    dead = sorted(Delivery.objects.filter(state="dead").values_list("receiver", flat=True))
    failed = sorted(InboxEvent.objects.filter(state="failed").values_list("event_type", "reason"))
    told = json.dumps({"seed": history.seed, "dead": dead, "failed": failed, "payments": str(history.payments)})
    assert access == model.access(history), told
    assert refunded == model.refunded_sum(history, with_disputes=with_disputes), told
    assert not failed, told
    # A payment of another sum than the price waits for the operator, and nothing else does.
    assert all(receiver.endswith((".place_order", ".undo_refund")) for receiver in dead), told
    assert not dead or any(payment.amount != history.owed for payment in history.payments), told
    assert dead or not model.is_held(history), told


KINDS = ("captured", "abandoned", "mismatch", "several refunds", "failed refund", "one line", "lost", "won", "async")


def kinds_of(history: model.History) -> Iterator[str]:
    for payment in history.payments:
        yield "captured" if payment.captured else "abandoned"
        if payment.amount != history.owed:
            yield "mismatch"
        if payment.way == "async":
            yield "async"
        if len(payment.refunds) > 1:
            yield "several refunds"
        for refund in payment.refunds:
            if not refund.stands:
                yield "failed refund"
            if refund.line:
                yield "one line"
        for dispute in payment.disputes:
            yield dispute.outcome
