"""Stripe keeps what every provider promises."""

from typing import Any

import pytest

from commerce_coordinator.core.testing.providers import Event, ProviderContract
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

from .. import signals as told
from ..currencies import EXPONENTS
from . import stripe_events, stripe_objects
from .stripe_events import NOW, payment_intent, signature

AMOUNT = ("data.object.amount", "data.object.currency")
VERSION = "2024-10-28.acacia"
#: Without `payment_intent` it is an invoice's or nobody's that we know: ignored.
NEEDED = ["data.object", "data.object.id", "created"]

#: (amount, currency) as Stripe writes them. ISK and UGX have two decimals there and none by ISO 4217; MGA the other
#: way round (source: Stripe's documentation of currencies).
AMOUNTS = [
    (14999, "eur", Money(amount=14999, currency="EUR")),
    (1500, "jpy", Money(amount=1500, currency="JPY")),
    (5120, "kwd", Money(amount=5120, currency="KWD")),
    (150000, "isk", Money(amount=1500, currency="ISK")),
    (150000, "ugx", Money(amount=1500, currency="UGX")),
    (1500, "mga", Money(amount=150000, currency="MGA")),
]
BAD_AMOUNTS = {
    "negative": -1,
    "fractional": 149.5,
    "a text": "14900",
    "a truth": True,
    "endless": 10**30,
}


class TestStripe(ProviderContract):
    pytestmark = pytest.mark.database
    provider = "stripe"
    url = "/stripe/webhook/"
    signals = {
        PaymentCaptured: told.payment_captured,
        PaymentFailed: told.payment_failed,
        PaymentRefunded: told.payment_refunded,
        RefundFailed: told.refund_failed,
        PaymentDisputed: told.payment_disputed,
        DisputeLost: told.dispute_lost,
        DisputeWon: told.dispute_won,
    }
    required = {
        PaymentCaptured: [
            "data.object.metadata.order_number",
            "data.object.id",
            "data.object.amount_received",
            "data.object.currency",
            "data.object",
            "created",
        ],
        PaymentFailed: ["data.object", "data.object.id", "data.object.metadata.order_number", "created"],
        PaymentRefunded: [*NEEDED, "data.object.status"],
        RefundFailed: NEEDED,
        PaymentDisputed: [*NEEDED, "data.object.status"],
        DisputeLost: [*NEEDED, "data.object.status"],
        DisputeWon: [*NEEDED, "data.object.status"],
    }
    money_at = {
        PaymentCaptured: ("data.object.amount_received", "data.object.currency"),
        PaymentRefunded: AMOUNT,
        RefundFailed: AMOUNT,
        PaymentDisputed: AMOUNT,
        DisputeLost: AMOUNT,
        DisputeWon: AMOUNT,
    }
    amounts = AMOUNTS
    bad_amounts = BAD_AMOUNTS
    private = stripe_events.PRIVATE

    @pytest.fixture(autouse=True)
    def _production(self, settings: Any) -> None:
        settings.CC_STRIPE_LIVEMODE = True

    def sign(self, body: bytes, *, redelivery: bool = False) -> dict[str, str]:
        return {"Stripe-Signature": signature(body, at=NOW - 100 if redelivery else NOW)}

    def sign_with_another_secret(self, body: bytes) -> dict[str, str]:
        return {"Stripe-Signature": signature(body, secret="whsec_another")}

    def captured(self, *, order_number: str, payment_id: str, money: Money, event_id: str) -> Event:
        received = {"amount_received": units(money), "currency": money.currency.lower()}
        intent = payment_intent(id=payment_id, metadata={"order_number": order_number}, **received)
        return whole(intent, id=event_id)

    def captured_otherwise(self, *, order_number: str, payment_id: str, money: Money, event_id: str) -> Event:
        """By the Checkout Session that the payment was made in."""
        paid = {"payment_intent": payment_id, "amount_total": units(money), "currency": money.currency.lower()}
        session = stripe_objects.session(metadata={"order_number": order_number}, **paid)
        return whole(session, id=event_id, type="checkout.session.completed")

    def failed(self, *, order_number: str, payment_id: str, event_id: str) -> Event:
        intent = stripe_objects.failed_intent(id=payment_id, metadata={"order_number": order_number})
        return whole(intent, id=event_id, type="payment_intent.payment_failed")

    def refunded(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        found = refund(payment_id, money, refund_request_id, id=refund_id)
        return whole(found, id=event_id, type="refund.updated", api_version=VERSION)

    def refund_failed(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        found = refund(payment_id, money, refund_request_id, id=refund_id, status="failed")
        return whole(found, id=event_id, type="refund.failed", api_version=VERSION)

    def disputed(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = stripe_objects.dispute(id=dispute_id, **of_payment(payment_id, money))
        return whole(found, id=event_id, type="charge.dispute.created", api_version=VERSION)

    def dispute_lost(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = stripe_objects.dispute(id=dispute_id, status="lost", **of_payment(payment_id, money))
        return whole(found, id=event_id, type="charge.dispute.closed", api_version=VERSION)

    def dispute_won(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = stripe_objects.dispute(id=dispute_id, status="won", **of_payment(payment_id, money))
        return whole(found, id=event_id, type="charge.dispute.closed", api_version=VERSION)

    def unknown(self, *, event_id: str) -> Event:
        return whole({"id": "cus_1", "object": "customer"}, id=event_id, type="customer.updated")

    def not_ours(self, *, event_id: str) -> Event:
        return whole(payment_intent(metadata={"source_system": "donations"}), id=event_id)

    def of_another_mode(self, *, event_id: str) -> Event:
        return whole(payment_intent(), id=event_id, livemode=False)


class TestStripeByAnotherAccount(TestStripe):
    """An account's events are signed with its own secret, and are told under its name."""

    account = "shop"
    url = "/stripe/webhook/shop/"

    def sign(self, body: bytes, *, redelivery: bool = False) -> dict[str, str]:
        at = NOW - 100 if redelivery else NOW
        return {"Stripe-Signature": signature(body, secret="whsec_shop", at=at)}

    def sign_with_another_secret(self, body: bytes) -> dict[str, str]:
        return {"Stripe-Signature": signature(body)}


def whole(found: dict[str, Any], **changes: Any) -> Event:
    """A live event about this object."""
    return stripe_events.event(found, **{"livemode": True, **changes})


def refund(payment_id: str, money: Money, refund_request_id: str, **changes: Any) -> dict[str, Any]:
    metadata = {"refund_request_id": refund_request_id} if refund_request_id else {}
    return stripe_objects.refund(metadata=metadata, **of_payment(payment_id, money), **changes)


def of_payment(payment_id: str, money: Money) -> dict[str, Any]:
    return {"payment_intent": payment_id, "amount": units(money), "currency": money.currency.lower()}


def units(money: Money) -> int:
    """The amount as Stripe counts it."""
    places = -int(money.as_decimal().as_tuple().exponent)
    return money.to_provider_units(exponent=EXPONENTS.get(money.currency, places))
