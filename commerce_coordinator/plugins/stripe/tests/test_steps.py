"""What Stripe's steps answer: the receipt, and whose a payment is."""

from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core.exceptions import Retry

from .. import client
from ..steps import StripePaymentOwner, StripeReceipt
from .fake_stripe import KEY, FakeStripe, error, running_stripe

PAYMENT = {"provider": "stripe", "account": "", "payment_id": "pi_1"}


@pytest.fixture
def api(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_stripe() as running:
        settings.CC_STRIPE_API_URL = running.url
        settings.CC_STRIPE_API_KEYS = {"": KEY}
        yield running
        for each in client._local.__dict__.pop("apis", {}).values():
            each.close()


def receipt(**asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = StripeReceipt(filter_type="test", running_pipeline=[]).run_filter(**asked)
    return found


def owner(**changes: str) -> dict[str, Any]:
    found: dict[str, Any] = StripePaymentOwner(filter_type="test", running_pipeline=[]).run_filter(
        **{**PAYMENT, **changes}
    )
    return found


def test_receipt_is_stripes_page(api: FakeStripe) -> None:
    api.paid()
    assert receipt(payment=PAYMENT) == {"receipt_url": "https://pay.stripe.com/receipts/pi_1"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"payment": None},
        {"payment": {**PAYMENT, "provider": "paypal"}},
        {"payment": {**PAYMENT, "account": "without a key"}},
        {"payment": PAYMENT, "receipt_url": "https://shop.example.com/1"},
    ],
)
def test_of_what_is_not_its_own_stripe_is_not_asked(api: FakeStripe, asked: dict[str, Any]) -> None:
    assert receipt(**asked) == {}
    assert api.calls == []


def test_payment_that_stripe_does_not_know_has_no_receipt(api: FakeStripe) -> None:
    assert receipt(payment=PAYMENT) == {}


def test_while_stripe_is_away_the_receipt_is_asked_for_again(api: FakeStripe) -> None:
    api.will("GET", error(503))
    with pytest.raises(Retry):
        receipt(payment=PAYMENT)


@pytest.mark.parametrize(
    ("intent", "session", "ours"),
    [
        ({"source_system": "commerce_coordinator"}, None, True),
        ({}, {"source_system": "commerce_coordinator"}, True),
        ({"source_system": "donations"}, None, False),
        ({}, {}, False),
        ({}, None, False),
    ],
)
def test_payment_is_ours_by_its_metadata_or_its_sessions(
    api: FakeStripe, intent: dict[str, str], session: dict[str, str] | None, ours: bool
) -> None:
    api.paid(**intent)
    if session is not None:
        found = {"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1", "metadata": session}
        api.sessions.append(found)
    assert owner() == {"ours": ours}


def test_payment_that_stripe_does_not_know_is_not_ours(api: FakeStripe) -> None:
    assert owner() == {"ours": False}


@pytest.mark.parametrize("changes", [{"provider": "paypal"}, {"account": "without a key"}])
def test_of_another_provider_or_without_a_key_nothing_is_said(api: FakeStripe, changes: dict[str, str]) -> None:
    assert owner(**changes) == {}
    assert api.calls == []
