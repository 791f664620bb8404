"""Tillpay keeps what every provider promises."""

from commerce_coordinator.core.testing.providers import Absent, Event, ProviderContract
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    DisputeWon,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    RefundFailed,
)

from ..money import units_of
from ..signals import payment_captured, payment_refunded
from . import wire

NO_DISPUTES = Absent("Tillpay settles disputes by refunds.")


class TestTillpay(ProviderContract):
    provider = "tillpay"
    url = "/tillpay/webhook/"
    signals = {
        PaymentCaptured: payment_captured,
        PaymentRefunded: payment_refunded,
        PaymentFailed: Absent("Tillpay tells of payments that went well."),
        RefundFailed: Absent("Tillpay tells of refunds once the bank has confirmed them."),
        PaymentDisputed: NO_DISPUTES,
        DisputeLost: NO_DISPUTES,
        DisputeWon: NO_DISPUTES,
    }
    required = {
        PaymentCaptured: ["payment", "payment.id", "payment.reference.order_number", "created"],
        PaymentRefunded: ["refund", "refund.id", "refund.payment", "created"],
    }
    money_at = {
        PaymentCaptured: ("payment.amount", "payment.currency"),
        PaymentRefunded: ("refund.amount", "refund.currency"),
    }
    # As Tillpay's documentation has them, not as our own conversion does: the forint is the one that differs.
    amounts = [
        (14999, "EUR", Money(amount=14999, currency="EUR")),
        (1500, "JPY", Money(amount=1500, currency="JPY")),
        (5125, "KWD", Money(amount=5125, currency="KWD")),
        (1500, "HUF", Money(amount=150000, currency="HUF")),
    ]
    bad_amounts = {"negative": -1, "fractional": 149.5, "a text": "14999"}
    private = [wire.NAME, wire.EMAIL]
    captured_otherwise = Absent("One type of event tells of a payment.")

    def sign(self, body: bytes, *, redelivery: bool = False) -> dict[str, str]:
        return wire.sign(body)  # no time is signed: a redelivery has the same signature

    def sign_with_another_secret(self, body: bytes) -> dict[str, str]:
        return wire.sign(body, "another-secret")

    def captured(self, *, order_number: str, payment_id: str, money: Money, event_id: str) -> Event:
        return wire.paid(event_id, payment_id, units_of(money), money.currency, order_number=order_number)

    def refunded(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        request = {"request": refund_request_id} if refund_request_id else {}
        return wire.refunded(event_id, payment_id, refund_id, units_of(money), money.currency, **request)

    def unknown(self, *, event_id: str) -> Event:
        return {"id": event_id, "type": "payout.sent", "created": 1772366400, "live": False}

    def not_ours(self, *, event_id: str) -> Event:
        return wire.paid(event_id, "pay_1", 14900, "USD", order_number="D-1", system="donations")

    def of_another_mode(self, *, event_id: str) -> Event:
        return {**wire.paid(event_id, "pay_1", 14900, "USD", order_number="EDX-1"), "live": True}
