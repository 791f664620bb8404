"""Stripe keeps what every provider promises."""

from typing import Any

import pytest

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

from ..currencies import EXPONENTS
from ..signals import payment_captured
from . import stripe_events
from .stripe_events import NOW, payment_intent, signature

NOT_YET = Absent("The plugin takes in payments only.")

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
        PaymentCaptured: payment_captured,
        PaymentFailed: NOT_YET,
        PaymentRefunded: NOT_YET,
        RefundFailed: NOT_YET,
        PaymentDisputed: NOT_YET,
        DisputeLost: NOT_YET,
        DisputeWon: NOT_YET,
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
    }
    money_at = {PaymentCaptured: ("data.object.amount_received", "data.object.currency")}
    amounts = AMOUNTS
    bad_amounts = BAD_AMOUNTS
    private = stripe_events.PRIVATE
    captured_otherwise = Absent("One type of event tells of a payment.")

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


def units(money: Money) -> int:
    """The amount as Stripe counts it."""
    places = -int(money.as_decimal().as_tuple().exponent)
    return money.to_provider_units(exponent=EXPONENTS.get(money.currency, places))
