"""What a provider's plugin leaves out is never left out in silence."""

from typing import Any

import pytest

from commerce_coordinator.core.testing.provider_fixtures import FACTS, Absent, ProviderFixtures, changed, value_at
from commerce_coordinator.core.testing.providers import ProviderContract
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import DisputeLost, PaymentCaptured, PaymentRefunded

EVENT = {"id": "evt_1", "data": {"list": [{"amount": 5}], "name": "x"}}


def given(**changes: Any) -> dict[str, Any]:
    """A whole class's attributes, with changes; ... leaves one out. It is never run."""
    signals: dict[Any, Any] = {fact.contract: Absent("Not told.") for fact in FACTS}
    attributes = {
        "provider": "any",
        "url": "/any/",
        "signals": {**signals, PaymentCaptured: object()},
        "required": {PaymentCaptured: ["id"]},
        "money_at": {PaymentCaptured: ("amount", "currency")},
        "amounts": [(1, each, Money(amount=1, currency=each)) for each in ("JPY", "EUR", "KWD")],
        "bad_amounts": {"negative": -1, "fractional": 0.5},
        "private": Absent("No names."),
        "captured_otherwise": Absent("One type."),
        "of_another_mode": Absent("One mode."),
        **dict.fromkeys(("sign", "sign_with_another_secret", "captured", "unknown", "not_ours"), lambda *_, **__: {}),
        **changes,
    }
    return {name: value for name, value in attributes.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({"url": ...}, "url"),
        ({"private": ...}, "private"),
        ({"sign": ...}, "sign()"),
        ({"of_another_mode": ...}, "of_another_mode, or Absent"),
        ({"signals": {**given()["signals"], PaymentCaptured: Absent("No.")}}, "signals[PaymentCaptured]"),
        ({"signals": {PaymentCaptured: object()}}, "signals[DisputeLost], or Absent"),
        ({"signals": {**given()["signals"], PaymentRefunded: object()}}, "refunded()"),
        ({"signals": {**given()["signals"], DisputeLost: object()}}, "required[DisputeLost]"),
        ({"money_at": {}}, "money_at[PaymentCaptured]"),
        ({"amounts": given()["amounts"][1:]}, "amounts of a currency with 0 decimals, or no_currencies_with[0]"),
        ({"bad_amounts": {"negative": -1}}, "bad_amounts['fractional']"),
    ],
)
def test_what_is_left_out_is_listed(changes: dict[str, Any], gap: str) -> None:
    with pytest.raises(TypeError) as raised:
        type("TestAny", (ProviderFixtures,), given(**changes))
    assert f"- {gap}" in str(raised.value).splitlines()


def test_what_is_declared_absent_is_no_gap_and_has_no_test() -> None:
    whole = type("TestAny", (ProviderContract,), given(no_currencies_with={3: Absent("None.")}))
    assert whole.test_two_partial_refunds_of_one_payment_are_two is None  # type: ignore[attr-defined]
    assert whole.test_two_payments_are_two is not None  # type: ignore[attr-defined]
    again = type("TestOther", (whole,), {"of_another_mode": lambda *_, **__: {}})
    assert again.test_payment_of_another_mode_is_ignored is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("place", "value", "rest"),
    [
        ("data.name", "y", {"list": [{"amount": 5}], "name": "y"}),
        ("data.name", ..., {"list": [{"amount": 5}]}),
        ("data.list.0.amount", 6, {"list": [{"amount": 6}], "name": "x"}),
        ("data.list.0", ..., {"list": [], "name": "x"}),
    ],
)
def test_change_is_made_in_a_copy(place: str, value: Any, rest: Any) -> None:
    before = str(EVENT)
    assert changed(EVENT, place, value)["data"] == rest
    assert str(EVENT) == before


@pytest.mark.parametrize("place", ["none", "data.none", "data.list.1", "data.name.amount"])
def test_place_that_is_not_there_is_an_error(place: str) -> None:
    with pytest.raises((KeyError, IndexError, TypeError)):
        changed(EVENT, place, 1)
    with pytest.raises((KeyError, IndexError, TypeError)):
        value_at(EVENT, place)
