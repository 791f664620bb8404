"""What we ask of PayPal: money is taken once and only at its price, and given back once per request."""

import logging
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import time_machine
from openedx_filters import PipelineStep

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.exceptions import Retry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, filters_as, routes_as, run_deliveries
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine
from commerce_coordinator.payloads.payments import RefundRequested

from .. import capturing, client, tokens
from ..filters import PriceOwedRequested
from ..signals import order_approved, order_not_captured, payment_captured, payment_refunded
from ..steps import PayPalReceipt
from . import pki
from .fake_paypal import CLIENT, SECRET, Answer, FakePayPal, refusal, running_paypal

pytestmark = pytest.mark.django_db

TASKS = "commerce_coordinator.plugins.paypal.tasks"
PRICE = Money(amount=14900, currency="USD")
asked = CoordinatorSignal(RefundRequested, subject="order_number", name=f"{__name__}.asked")
REQUEST: dict[str, Any] = {
    "refund_request_id": "EDX-1:all",
    "order_number": "EDX-1",
    "provider": "paypal",
    "account": "",
    "payment_id": "C-O-1",
    "username": "ann",
}


class Shop(PipelineStep):
    """Knows the price, or does not, or is away."""

    owed: ClassVar[Money | None] = PRICE
    away: ClassVar[bool] = False

    def run_filter(self, *, order_number: str, **_: Any) -> dict[str, Any]:
        if Shop.away:
            raise Retry("The shop is away.")
        line = OrderLine(line_number=1, course_key="course-v1:X+A+1", mode="verified")
        details = OrderDetails(
            order_number=order_number, owed=Shop.owed, lines=(line,), source="shop", lms_user_id=1313
        )
        return {"details": details}


@pytest.fixture(autouse=True)
def paypal(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePayPal]:
    """A PayPal over HTTP, in the place of the one without a network."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    contracts.remember(asked.name, RefundRequested)
    Shop.owed, Shop.away = PRICE, False
    tokens._tokens.clear()
    routes = {
        asked.name: [f"{TASKS}.refund_payment"],
        order_approved.name: [f"{TASKS}.capture_order"],
        **{signal.name: [] for signal in (order_not_captured, payment_captured, payment_refunded)},
    }
    with (
        time_machine.travel(pki.NOON, tick=False),
        running_paypal() as running,
        routes_as(routes),
        filters_as({PriceOwedRequested.filter_type: [Shop]}),
    ):
        entry = {"webhook_ids": ["x"], "client_id": CLIENT, "client_secret": SECRET, "environment": "sandbox"}
        settings.CC_PAYPAL = {"": {**entry, "api_url": running.url}}
        yield running
        client.forget_clients()
        tokens._tokens.clear()


def approve(paypal: FakePayPal, **order: Any) -> Delivery:
    """A buyer approved an order, and what is due is run; returns the delivery as it is then."""
    paypal.approved(**order)
    return told_of_approval()


def told_of_approval(**changes: Any) -> Delivery:
    values = {"account": "", "paypal_order_id": "O-1", "order_number": "EDX-1", "money": PRICE, "approved_at": pki.NOON}
    [(_, delivery)] = order_approved.send_robust(sender="test", **{**values, **changes})
    return ran(delivery)


def refund(**changes: Any) -> Delivery:
    [(_, delivery)] = asked.send_robust(sender="test", **{**REQUEST, **changes})
    return ran(delivery)


def ran(delivery: Any) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=pki.NOON)
    run_deliveries()
    delivery.refresh_from_db()
    assert isinstance(delivery, Delivery)
    return delivery


def why(delivery: Delivery) -> str:
    return str(Attempt.objects.filter(delivery=delivery).latest("number").error_text)


# --- Captures ---


def test_what_was_approved_at_its_price_is_captured_and_paypals_event_will_tell(paypal: FakePayPal) -> None:
    assert approve(paypal).state == "succeeded"
    assert len(paypal.captures) == 1
    assert [call.headers["paypal-request-id"] for call in paypal.of("POST", "/capture")] == ["capture-O-1"]
    assert_not_sent(payment_captured)
    assert_not_sent(order_not_captured)


@pytest.mark.parametrize(
    ("owed", "order", "reason"),
    [
        (None, {}, capturing.NOT_KNOWN),
        (Money(amount=14901, currency="USD"), {}, capturing.OTHER_AMOUNT),
        (Money(amount=14900, currency="EUR"), {}, capturing.OTHER_CURRENCY),
        (PRICE, {"custom_id": "EDX-2"}, capturing.OTHER_ORDER),
        (PRICE, {"value": "1.00"}, capturing.OTHER_AMOUNT),
    ],
)
def test_what_is_not_the_price_is_not_taken_and_somebody_is_told(
    paypal: FakePayPal, owed: Money | None, order: dict[str, Any], reason: str
) -> None:
    Shop.owed = owed
    delivery = approve(paypal, **order)
    assert (delivery.state, paypal.captures) == ("dead", [])
    assert_sent(order_not_captured, times=1, order_number="EDX-1", payment_id="O-1", reason=reason)
    assert reason in why(delivery)


def test_while_the_price_cannot_be_asked_the_capture_waits(paypal: FakePayPal) -> None:
    Shop.away = True
    delivery = approve(paypal)
    assert (delivery.state, paypal.captures) == ("pending", [])
    Shop.away = False
    assert ran(delivery).state == "succeeded"
    assert len(paypal.captures) == 1


def test_order_that_is_captured_already_is_done(paypal: FakePayPal) -> None:
    approve(paypal)
    assert told_of_approval(paypal_order_id="O-1", account="").state == "succeeded"
    paypal.will("POST", refusal("ORDER_ALREADY_CAPTURED"))
    paypal.approved("O-2")
    assert told_of_approval(paypal_order_id="O-2").state == "succeeded"


@pytest.mark.parametrize(
    "lost", [Answer(drop=True, after_effect=True), Answer(status=503, html=True, after_effect=True)]
)
def test_answer_that_was_lost_takes_nothing_twice(paypal: FakePayPal, lost: Answer) -> None:
    paypal.will("POST", lost)
    delivery = approve(paypal)
    assert (delivery.state, len(paypal.captures)) == ("pending", 1)
    assert ran(delivery).state == "succeeded"
    assert len(paypal.of("POST", "/capture")) == 1


@pytest.mark.parametrize("status", ["CREATED", "VOIDED", "PAYER_ACTION_REQUIRED"])
def test_order_that_is_not_approved_is_not_captured(paypal: FakePayPal, status: str) -> None:
    paypal.approved()
    paypal.orders["O-1"]["status"] = status
    delivery = told_of_approval()
    assert (delivery.state, paypal.captures) == ("dead", [])
    assert status in why(delivery)


def test_declined_instrument_is_a_dead_letter_by_paypals_name_for_it(paypal: FakePayPal) -> None:
    paypal.will("POST", refusal("INSTRUMENT_DECLINED"))
    delivery = approve(paypal)
    assert delivery.state == "dead"
    assert why(delivery).endswith("PayPal answered 422: INSTRUMENT_DECLINED, UNPROCESSABLE_ENTITY.")


# --- Refunds ---


@pytest.fixture
def captured(paypal: FakePayPal) -> FakePayPal:
    approve(paypal)
    paypal.calls.clear()
    return paypal


def refunds(paypal: FakePayPal) -> list[tuple[str, str]]:
    return [(each["amount"]["value"], each["custom_id"]) for each in paypal.refunds]


def test_whole_payment_goes_back_and_paypals_event_will_tell(captured: FakePayPal) -> None:
    assert refund().state == "succeeded"
    assert refunds(captured) == [("149.00", "refund:EDX-1:all")]
    [call] = captured.of("POST", "/refund")
    assert "amount" not in call.body
    assert_not_sent(payment_refunded)


def test_part_goes_back_and_then_what_is_left(captured: FakePayPal) -> None:
    refund(refund_request_id="EDX-1:2", money=Money(amount=4900, currency="USD"))
    refund()
    assert refunds(captured) == [("49.00", "refund:EDX-1:2"), ("100.00", "refund:EDX-1:all")]


@pytest.mark.parametrize(
    "lost", [Answer(drop=True, after_effect=True), Answer(status=500, html=True, after_effect=True)]
)
def test_part_whose_answer_was_lost_goes_back_once_even_if_paypal_forgot_the_request(
    captured: FakePayPal, lost: Answer
) -> None:
    captured.will("POST", lost)
    delivery = refund(refund_request_id="EDX-1:2", money=Money(amount=4900, currency="USD"))
    assert (delivery.state, len(captured.refunds)) == ("pending", 1)
    captured.remembered.clear()
    assert ran(delivery).state == "succeeded"
    assert refunds(captured) == [("49.00", "refund:EDX-1:2")]


def test_refund_that_failed_is_made_anew(captured: FakePayPal) -> None:
    refund(refund_request_id="EDX-1:2", money=Money(amount=4900, currency="USD"))
    captured.refunds[0]["status"] = "FAILED"
    captured.remembered.clear()
    refund(refund_request_id="EDX-1:2", money=Money(amount=4900, currency="USD"))
    assert [each["status"] for each in captured.refunds] == ["FAILED", "COMPLETED"]


@pytest.mark.parametrize("issue", ["REFUND_AMOUNT_EXCEEDED", "REFUND_TIME_LIMIT_EXCEEDED", "PERMISSION_DENIED"])
def test_refund_that_paypal_refuses_is_a_dead_letter_by_its_name_for_it(captured: FakePayPal, issue: str) -> None:
    captured.will("POST", refusal(issue))
    delivery = refund()
    assert delivery.state == "dead"
    assert issue in why(delivery)
    assert "Private words" not in why(delivery)


def test_payment_that_was_refunded_by_somebody_else_is_done(captured: FakePayPal) -> None:
    captured.will("POST", refusal("CAPTURE_FULLY_REFUNDED"))
    assert refund().state == "succeeded"
    captured.captures[0]["status"] = "REFUNDED"
    captured.calls.clear()
    assert refund(refund_request_id="EDX-1:1").state == "succeeded"
    assert captured.of("POST") == []


@pytest.mark.parametrize("answer", [Answer(status=503), Answer(status=429), Answer(status=200, html=True)])
def test_failure_that_may_pass_is_tried_again(captured: FakePayPal, answer: Answer) -> None:
    captured.will("GET", answer)
    delivery = refund()
    assert (delivery.state, captured.refunds) == ("pending", [])
    assert ran(delivery).state == "succeeded"


def test_another_providers_payment_is_left_alone(paypal: FakePayPal) -> None:
    assert refund(provider="stripe").state == "succeeded"
    assert paypal.calls == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"account": "shop"}, 'no account "shop"'), ({"refund_request_id": "EDX-" + "1" * 120}, "127 characters")],
)
def test_what_cannot_be_is_a_dead_letter_that_says_why(
    captured: FakePayPal, changes: dict[str, Any], said: str
) -> None:
    delivery = refund(**changes)
    assert (delivery.state, captured.refunds) == ("dead", [])
    assert said in why(delivery)


# --- How it calls ---


def test_token_that_is_good_no_more_is_renewed_once(captured: FakePayPal) -> None:
    before = captured.tokens
    captured.will("GET", Answer(status=401))
    assert refund().state == "succeeded"
    assert captured.tokens == before + 1


def test_calls_are_in_the_attempt_and_no_secret_is_in_the_log(
    captured: FakePayPal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        delivery = refund()
    calls = Attempt.objects.get(delivery=delivery).calls
    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("GET", "/v2/payments/captures/C-O-1", 200),
        ("GET", "/v2/checkout/orders/O-1", 200),
        ("POST", "/v2/payments/captures/C-O-1/refund", 201),
    ]
    assert SECRET not in caplog.text
    assert "token-" not in caplog.text


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(amount=4900, currency="USD"), "49.00"),
        (Money(amount=5, currency="USD"), "0.05"),
        (Money(amount=4900, currency="JPY"), "4900"),
        (Money(amount=490000, currency="HUF"), "4900"),
        (Money(amount=490000, currency="TWD"), "4900"),
    ],
)
def test_amount_is_written_as_paypal_counts(money: Money, text: str) -> None:
    assert client.written(money) == text


def test_amount_that_paypal_cannot_count_is_no_amount() -> None:
    with pytest.raises(ValueError, match="whole number"):
        client.written(Money(amount=4950, currency="HUF"))


# --- Receipts ---


def receipt(**asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = PayPalReceipt(filter_type="test", running_pipeline=[]).run_filter(**asked)
    return found


def test_receipt_is_paypals_page_of_the_payment(settings: Any) -> None:
    payment = {"provider": "paypal", "account": "", "payment_id": "C/1"}
    assert receipt(payment=payment) == {"receipt_url": "https://www.sandbox.paypal.com/activity/payment/C%2F1"}
    settings.CC_PAYPAL[""]["environment"] = "live"
    assert receipt(payment=payment) == {"receipt_url": "https://www.paypal.com/activity/payment/C%2F1"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"payment": {"provider": "stripe", "account": "", "payment_id": "pi_1"}},
        {"payment": {"provider": "paypal", "account": "unknown", "payment_id": "C-1"}},
        {"payment": {"provider": "paypal", "account": "", "payment_id": "C-1"}, "receipt_url": "https://x.example.com"},
    ],
)
def test_of_what_is_not_its_own_nothing_is_said(asked: dict[str, Any]) -> None:
    assert receipt(**asked) == {}
