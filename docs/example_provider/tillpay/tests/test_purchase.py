"""Through the whole service: a purchase, its refund, its receipt."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.testing import assert_sent, routes_as, run_deliveries
from commerce_coordinator.payloads.money import Money

from ..steps import Receipt
from . import wire

pytestmark = pytest.mark.django_db

PLUGINS = "commerce_coordinator.plugins"
PAYMENT = {"provider": "tillpay", "account": "", "payment_id": "pay_1"}
REQUEST = {**PAYMENT, "refund_request_id": "request-1", "order_number": "EDX-1", "username": wire.NAME}


@pytest.fixture(autouse=True)
def without_the_lms() -> Any:
    """What the LMS is asked for ends here; all else goes the way of the map."""
    ends = ("fulfillment.signals.enrollment_requested", "fulfillment.signals.revocation_requested")
    with routes_as({f"{PLUGINS}.{name}": [] for name in ends}):
        yield


def post(event: dict[str, Any]) -> Any:
    body = json.dumps(event).encode()
    return Client().post("/tillpay/webhook/", body, content_type="application/json", headers=wire.sign(body))


def ran() -> list[str]:
    """The deliveries that were due, each with how it ended."""
    return [f"{each.receiver.removeprefix(PLUGINS + '.')}: {each.state}" for each in run_deliveries()]


def signal(name: str) -> Any:
    return registry.by_name()[f"{PLUGINS}.{name}"]


def test_payment_becomes_an_order() -> None:
    assert post(wire.paid("evt_1", "pay_1", 14900, "USD", order_number="EDX-1")).json()["status"] == "sent"
    assert ran()[:2] == ["fulfillment.tasks.place_order: succeeded", "fulfillment.tasks.request_enrollments: succeeded"]
    assert_sent(signal("fulfillment.signals.order_placed"), times=1, order_number="EDX-1", **PAYMENT)
    wanted = {"order_number": "EDX-1", "course_key": "course-v1:X+A+1", "mode": "verified"}
    assert_sent(signal("fulfillment.signals.enrollment_requested"), times=1, **wanted)


def test_refund_takes_the_access_back() -> None:
    post(wire.paid("evt_1", "pay_1", 14900, "USD", order_number="EDX-1"))
    run_deliveries()
    post(wire.refunded("evt_2", "pay_1", "re_1", 14900, "USD"))
    assert ran()[0] == "fulfillment.tasks.take_back_order: succeeded"
    assert_sent(signal("fulfillment.signals.order_refunded"), times=1, refund_id="re_1", **PAYMENT)
    assert_sent(signal("fulfillment.signals.revocation_requested"), times=1, course_key="course-v1:X+A+1")


@pytest.mark.parametrize(("money", "asked"), [(None, {}), (Money(amount=150000, currency="HUF"), {"amount": 1500})])
def test_refund_that_was_asked_for_is_made_once(settings: Any, money: Money | None, asked: dict[str, int]) -> None:
    with wire.served(lost=1) as (settings.TILLPAY_URL, refunds):
        signal("lms.signals.refund_requested").send_robust(sender="test", money=money, **REQUEST)
        assert "tillpay.tasks.refund_payment: pending" in ran()
        with time_machine.travel(timezone.now() + timedelta(minutes=1)):
            assert "tillpay.tasks.refund_payment: succeeded" in ran()
    reference = {"system": "commerce_coordinator", "request": "request-1"}
    assert refunds == {"/payments/pay_1/refunds": [{"reference": reference, **asked}]}


def test_refund_of_another_provider_is_left_alone(settings: Any) -> None:
    with wire.served() as (settings.TILLPAY_URL, refunds):
        signal("lms.signals.refund_requested").send_robust(sender="test", **{**REQUEST, "provider": "other"})
        assert "tillpay.tasks.refund_payment: succeeded" in ran()
    assert refunds == {}


def test_nobody_is_believed_before_a_secret_is_set(settings: Any) -> None:
    settings.TILLPAY_SECRET = ""
    body = json.dumps(wire.paid("evt_1", "pay_1", 14900, "USD", order_number="EDX-1")).encode()
    headers = wire.sign(body, "")
    answer = Client().post("/tillpay/webhook/", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_set_up")


def test_receipt_is_tillpays_own_page() -> None:
    assert Receipt("", []).run_filter(payment=PAYMENT) == {"receipt_url": "https://tillpay.example.com/receipts/pay_1"}
    assert Receipt("", []).run_filter(payment={**PAYMENT, "provider": "other"}) == {}
    assert Receipt("", []).run_filter() == {}
