"""What PayPal's events mean to us, after its published samples, in both versions of its resources."""

from datetime import UTC, datetime
from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.testing import assert_sent
from commerce_coordinator.payloads.money import Money

from .. import signals
from .paypal_events import (
    capture,
    capture_v1,
    completed,
    dispute,
    event,
    order,
    post,
    refund,
    refund_v1,
    resolved,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

USD149 = Money(amount=14900, currency="USD")
USD49 = Money(amount=4900, currency="USD")
PAYMENT = {"provider": "paypal", "account": "", "payment_id": "42311647XV020574X"}
UP = "https://api.sandbox.paypal.com/v2/payments/captures/42311647XV020574X"


def became(event: Any) -> tuple[str, str]:
    """(state, reason) of an event that is posted."""
    assert post(event).status_code == 200
    row = InboxEvent.objects.latest("pk")
    return row.state, row.reason


def is_sent(event: Any, signal: Any, **values: Any) -> None:
    assert became(event) == ("sent", "")
    assert_sent(signal, times=1, **values)
    assert Dispatch.objects.count() == 1


# --- Orders and captures ---


def test_approved_order_is_told_with_the_sum_and_its_number() -> None:
    approved = event("CHECKOUT.ORDER.APPROVED", order(), resource_type="checkout-order")
    is_sent(
        approved,
        signals.order_approved,
        account="",
        paypal_order_id="5O190127TN364715T",
        order_number="EDX-1",
        money=USD149,
        approved_at=datetime(2026, 3, 1, 11, 50, tzinfo=UTC),
    )


def units(*amounts: tuple[str, str], **first: Any) -> list[dict[str, Any]]:
    made = [{"amount": {"currency_code": currency, "value": value}} for currency, value in amounts]
    made[0].update({"custom_id": "EDX-1", **first})
    return made


def test_purchase_units_of_one_currency_are_added() -> None:
    approved = event("CHECKOUT.ORDER.APPROVED", order(purchase_units=units(("EUR", "10.10"), ("EUR", "0.2"))))
    is_sent(approved, signals.order_approved, money=Money(amount=1030, currency="EUR"))


def test_invoice_id_stands_in_for_custom_id() -> None:
    approved = event(
        "CHECKOUT.ORDER.APPROVED", order(purchase_units=units(("EUR", "1.00"), custom_id="", invoice_id="EDX-2"))
    )
    is_sent(approved, signals.order_approved, order_number="EDX-2")


def test_completed_capture_is_a_payment() -> None:
    is_sent(
        completed(),
        signals.payment_captured,
        **PAYMENT,
        order_number="EDX-1",
        money=USD149,
        captured_at=datetime(2026, 3, 1, 11, 59, 41, tzinfo=UTC),
        lms_user_id=None,
        username="",
        email="",
        lines=(),
    )


def test_completed_capture_of_version_1_is_a_payment() -> None:
    old = event("PAYMENT.CAPTURE.COMPLETED", capture_v1(), resource_version="1.0")
    is_sent(old, signals.payment_captured, payment_id="58333135MN8876425", order_number="EDX-1", money=USD149)


def test_two_events_of_one_capture_are_one_payment() -> None:
    became(completed())
    assert became({**completed(), "id": "WH-2"})[0] == "sent"
    assert_sent(signals.payment_captured, times=1)


@pytest.mark.parametrize("event_type", ["PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"status_details": {"reason": "BUYER_COMPLAINT"}}, "BUYER_COMPLAINT"),
        ({"status_details": {"reason": "Ann did it"}, "processor_response": {"response_code": "5400"}}, "5400"),
    ],
)
def test_denied_capture_failed_for_good(event_type: str, changes: Any, reason: str) -> None:
    is_sent(
        event(event_type, capture(status="DECLINED", **changes)),
        signals.payment_failed,
        **PAYMENT,
        order_number="EDX-1",
        final=True,
        reason=reason,
    )


# --- Refunds and reversals ---


@pytest.mark.parametrize("event_type", ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"])
@pytest.mark.parametrize(
    ("changes", "request_id"),
    [
        ({}, ""),
        ({"custom_id": "refund:018f-7"}, "018f-7"),
        ({"custom_id": "EDX-1"}, ""),
        ({"custom_id": 7}, ""),
    ],
)
def test_refund_is_told_with_its_capture_and_its_request(event_type: str, changes: Any, request_id: str) -> None:
    is_sent(
        event(event_type, refund(**changes), resource_type="refund"),
        signals.payment_refunded,
        **PAYMENT,
        refund_id="1Y107995YT783435V",
        money=USD49,
        refund_request_id=request_id,
        refunded_at=datetime(2026, 3, 1, 11, 59, 41, tzinfo=UTC),
    )


@pytest.mark.parametrize("event_type", ["PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"amount": {"currency": "USD", "total": "49.00"}},
        {"capture_id": ..., "sale_id": "58333135MN8876425"},
        {
            "capture_id": ...,
            "links": [{"rel": "capture", "href": "https://x/v1/payments/capture/58333135MN8876425"}],
        },
        {"capture_id": ..., "links": [{"rel": "sale", "href": "https://x/v1/payments/sale/58333135MN8876425"}]},
        {"capture_id": ..., "supplementary_data": {"related_ids": {"capture_id": "58333135MN8876425"}}},
    ],
)
def test_refund_of_version_1_is_told(event_type: str, changes: Any) -> None:
    old = event(event_type, refund_v1(**changes), resource_type="refund", resource_version="1.0")
    is_sent(old, signals.payment_refunded, payment_id="58333135MN8876425", refund_id="6KV40268N1885461X", money=USD49)


@pytest.mark.parametrize("resource", [capture(status="REVERSED"), capture(links=...), capture(status=...)])
def test_capture_that_was_reversed_went_back_as_a_whole(resource: Any) -> None:
    is_sent(
        event("PAYMENT.CAPTURE.REVERSED", resource),
        signals.payment_refunded,
        **PAYMENT,
        refund_id="reversal:42311647XV020574X",
        money=USD149,
        refund_request_id="",
    )


def test_two_refunds_of_one_capture_are_two() -> None:
    became(event("PAYMENT.CAPTURE.REFUNDED", refund()))
    became(event("PAYMENT.CAPTURE.REFUNDED", refund(id="2B"), id="WH-2"))
    became(event("PAYMENT.CAPTURE.REFUNDED", refund(id="2B"), id="WH-3"))
    assert_sent(signals.payment_refunded, times=2)


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("PAYMENT.CAPTURE.REFUNDED", "FAILED"),
        ("PAYMENT.CAPTURE.REFUNDED", "CANCELLED"),
        ("PAYMENT.REFUND.FAILED", "FAILED"),
        ("PAYMENT.REFUND.FAILED", ...),
    ],
)
def test_failed_refund_is_told_as_that(event_type: str, status: Any) -> None:
    failed = refund(status=status, custom_id="refund:7", status_details={"reason": "ECHECK"})
    is_sent(
        event(event_type, failed),
        signals.refund_failed,
        **PAYMENT,
        refund_id="1Y107995YT783435V",
        money=USD49,
        refund_request_id="7",
        reason="ECHECK",
    )


# --- Disputes ---

DISPUTE = {**PAYMENT, "dispute_id": "PP-000-042-663-135", "money": USD149}


@pytest.mark.parametrize("stage", ["CHARGEBACK", "PRE_ARBITRATION", "ARBITRATION", ...])
def test_dispute_is_told(stage: Any) -> None:
    is_sent(
        event("CUSTOMER.DISPUTE.CREATED", dispute(dispute_life_cycle_stage=stage), resource_type="dispute"),
        signals.payment_disputed,
        **DISPUTE,
        reason="MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    )


@pytest.mark.parametrize("code", ["RESOLVED_BUYER_FAVOUR", "ACCEPTED"])
def test_dispute_for_the_buyer_is_lost_and_told_as_a_refund_too(code: str) -> None:
    lost = event("CUSTOMER.DISPUTE.RESOLVED", resolved(code))
    is_sent(lost, signals.dispute_lost, **DISPUTE, told_as_refund=True)


def test_of_a_lost_dispute_what_went_back_counts() -> None:
    lost = resolved("ACCEPTED")
    lost["dispute_outcome"]["amount_refunded"] = {"currency_code": "USD", "value": "49.00"}
    is_sent(event("CUSTOMER.DISPUTE.RESOLVED", lost), signals.dispute_lost, money=USD49)


@pytest.mark.parametrize("code", ["RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"])
def test_dispute_that_left_us_the_money_is_won(code: str) -> None:
    is_sent(event("CUSTOMER.DISPUTE.RESOLVED", resolved(code)), signals.dispute_won, **DISPUTE)


def two(first: Any, second: Any) -> list[dict[str, Any]]:
    return [
        {"seller_transaction_id": name, "gross_amount": {"currency_code": "USD", "value": value}}
        for name, value in (("C1", first), ("C2", second))
    ]


def test_dispute_of_two_payments_is_told_of_each() -> None:
    assert became(event("CUSTOMER.DISPUTE.CREATED", dispute(disputed_transactions=two("100.00", "49.00"))))[0] == "sent"
    assert_sent(signals.payment_disputed, times=1, payment_id="C1", money=Money(amount=10000, currency="USD"))
    assert_sent(signals.payment_disputed, times=1, payment_id="C2", money=USD49)
    assert Dispatch.objects.count() == 2


# --- What is ignored, and what is not understood ---

IGNORED = {
    "capture without an order": event("PAYMENT.CAPTURE.COMPLETED", capture(custom_id=...)),
    "capture with empty references": event("PAYMENT.CAPTURE.COMPLETED", capture(custom_id="", invoice_id=None)),
    "pending capture": event("PAYMENT.CAPTURE.PENDING", capture(status="PENDING")),
    "order without a number": event("CHECKOUT.ORDER.APPROVED", order(purchase_units=units(("USD", "1"), custom_id=""))),
    "order to authorize": event("CHECKOUT.ORDER.APPROVED", order(intent="AUTHORIZE")),
    "pending refund": event("PAYMENT.CAPTURE.REFUNDED", refund(status="PENDING")),
    "pending refund by its type": event("PAYMENT.REFUND.PENDING", refund(status=...)),
    "failed refund that is completed": event("PAYMENT.REFUND.FAILED", refund()),
    "inquiry": event("CUSTOMER.DISPUTE.CREATED", dispute(dispute_life_cycle_stage="INQUIRY")),
    "unknown type": event("BILLING.SUBSCRIPTION.CREATED", {}),
    "update of a dispute": event("CUSTOMER.DISPUTE.UPDATED", dispute()),
}


@pytest.mark.parametrize("ignored", IGNORED.values(), ids=IGNORED.keys())
def test_what_is_none_of_our_business_is_ignored_with_a_reason(ignored: Any) -> None:
    state, reason = became(ignored)
    assert (state, bool(reason)) == ("ignored", True)
    assert not Dispatch.objects.exists()


def with_amount(value: Any, currency: Any = "USD") -> Any:
    return completed(amount={"currency_code": currency, "value": value})


FAILED = {
    **{
        f"amount {value!r}": with_amount(value)
        for value in (
            *(
                "1e3",
                "NaN",
                "Infinity",
                "-1.00",
                "+1.00",
                "1.234",
                "1,00",
                "",
                " 1.00",
                "1.",
                ".5",
                "0x10",
                "١٢",
                "1_000",
            ),
            *(1, 1.5, None, True, [], "9" * 16),
        )
    },
    **{f"{value} {currency}": with_amount(value, currency) for value, currency in [("1.00", "JPY"), ("1.5", "HUF")]},
    **{f"currency {currency!r}": with_amount("1.00", currency) for currency in ("usd", "US", "", None, 7, "ÄÖÜ")},
    "no amount": completed(amount=...),
    "capture without an id": completed(id=...),
    "id with a blank": completed(id="4 2"),
    "time in words": completed(update_time="noon"),
    "time without a zone": completed(update_time="2026-03-01T11:59:41"),
    "31st of February": completed(update_time="2026-02-31T11:59:41Z"),
    "time before all times": completed(update_time="0001-01-01T00:00:00+14:00"),
    "order number in two lines": completed(custom_id="EDX\n1"),
    "order number of two words": completed(custom_id="EDX 1"),
    "half a surrogate pair": completed(custom_id="EDX-\ud83d"),
    "completed, and declined": completed(status="DECLINED"),
    "no resource": event("PAYMENT.CAPTURE.COMPLETED", ...),
    "resource that is a list": event("PAYMENT.CAPTURE.COMPLETED", []),
    "two currencies": event("CHECKOUT.ORDER.APPROVED", order(purchase_units=units(("EUR", "1.00"), ("USD", "1.00")))),
    "sum out of range": event("CHECKOUT.ORDER.APPROVED", order(purchase_units=units(*[("USD", "9999999999999")] * 2))),
    "no purchase unit": event("CHECKOUT.ORDER.APPROVED", order(purchase_units=[])),
    "refund of nothing": event("PAYMENT.CAPTURE.REFUNDED", refund(links=[])),
    "refund of a payment of version 1": event("PAYMENT.CAPTURE.REFUNDED", refund(links=[], parent_payment="PAY-1")),
    "refund of a strange status": event("PAYMENT.CAPTURE.REFUNDED", refund(status="LOST")),
    "refund with a minus": event("PAYMENT.CAPTURE.REFUNDED", refund(amount={"currency_code": "USD", "value": "-1.00"})),
    "strange outcome": event("CUSTOMER.DISPUTE.RESOLVED", resolved("NONE")),
    "no outcome": event("CUSTOMER.DISPUTE.RESOLVED", dispute(status="RESOLVED")),
    "outcome that is a list": event("CUSTOMER.DISPUTE.RESOLVED", resolved(["ACCEPTED"])),
    "dispute of no payment": event("CUSTOMER.DISPUTE.CREATED", dispute(disputed_transactions=[])),
    "parts that make no whole": event(
        "CUSTOMER.DISPUTE.CREATED", dispute(disputed_transactions=two("100.00", "50.00"))
    ),
    "parts without amounts": event(
        "CUSTOMER.DISPUTE.CREATED",
        dispute(disputed_transactions=[{"seller_transaction_id": "C1"}, {"seller_transaction_id": "C2"}]),
    ),
}


@pytest.mark.parametrize("wrong", FAILED.values(), ids=FAILED.keys())
def test_what_cannot_be_understood_is_kept_with_a_reason_that_quotes_nothing(wrong: Any) -> None:
    state, reason = became(wrong)
    assert (state, bool(reason)) == ("failed", True)
    assert "EDX" not in reason
    assert "raised" not in reason
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("149.00", "USD", 14900),
        ("149", "USD", 14900),
        ("0.1", "EUR", 10),
        ("1000", "JPY", 1000),
        ("1000", "HUF", 100000),
        ("1000", "TWD", 100000),
        ("1.234", "KWD", 1234),
        ("9007199254740.99", "USD", 900719925474099),
        ("0.00", "USD", 0),
    ],
)
def test_amounts_are_exact_by_paypals_places(value: str, currency: str, minor: int) -> None:
    is_sent(with_amount(value, currency), signals.payment_captured, money=Money(amount=minor, currency=currency))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01T11:59:41Z", datetime(2026, 3, 1, 11, 59, 41, tzinfo=UTC)),
        ("2026-03-01t11:59:41z", datetime(2026, 3, 1, 11, 59, 41, tzinfo=UTC)),
        ("2026-03-01T11:59:41.5Z", datetime(2026, 3, 1, 11, 59, 41, 500_000, tzinfo=UTC)),
        ("2026-03-01T04:59:41-07:00", datetime(2026, 3, 1, 11, 59, 41, tzinfo=UTC)),
    ],
)
def test_times_are_read_with_their_zone(written: str, moment: datetime) -> None:
    is_sent(completed(update_time=written), signals.payment_captured, captured_at=moment)
