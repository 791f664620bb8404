"""Payloads in and out of the rows: strict when sent, lenient when read back, private values hidden from strangers."""

import datetime
import decimal
import traceback
import uuid
from collections.abc import MutableMapping

import pytest
from pydantic import BaseModel, Field, RootModel

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.core.telemetry.masking import MASK
from commerce_coordinator.payloads.base import PRIVATE, Payload, PrivateText
from commerce_coordinator.payloads.enrollments import EnrollmentRequested
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderPlaced
from commerce_coordinator.payloads.payments import PaymentCaptured


class Guest(Payload):
    name: PrivateText
    row: int


class Party(Payload):
    host: Guest
    guests: tuple[Guest, ...] = ()
    tables: list[list[Guest]] = []
    stand_in: Guest | None = None
    note: str = Field(default="", json_schema_extra=PRIVATE)
    cake: str = ""


class PartyGiven(Payload):
    order: str
    party: Party


ADA, BOB = {"name": "Ada", "row": 1}, {"name": "Bob", "row": 2}
STORED = {
    "order": "EDX-1",
    "party": {
        "host": ADA,
        "guests": [BOB, ADA],
        "tables": [[BOB]],
        "stand_in": ADA,
        "note": "Surprise!",
        "cake": "lemon",
    },
}


@pytest.fixture
def party_given(shop):
    return shop.signal("party_given", PartyGiven).name


# --- Private values ---


def test_masked_hides_private_values_and_nothing_else(party_given):
    ada, bob = {"name": MASK, "row": 1}, {"name": MASK, "row": 2}
    assert contracts.masked(party_given, STORED) == {
        "order": "EDX-1",
        "party": {"host": ada, "guests": [bob, ada], "tables": [[bob]], "stand_in": ada, "note": MASK, "cake": "lemon"},
    }
    assert STORED["party"]["host"]["name"] == "Ada"


class Optional(Payload):
    value: PrivateText | None = None


class Listed(Payload):
    value: list[PrivateText] = []


class Mapped(Payload):
    value: dict[str, Guest] = {}


class ListedMapped(Payload):
    value: list[dict[str, Guest]] = []


class OtherwiseMapped(Payload):
    value: MutableMapping[str, Guest] = {}


class Names(RootModel[list[PrivateText]]):
    pass


class Rooted(Payload):
    value: Names


class Alternative(Payload):
    value: Guest | list[Guest] | str


class Tree(Payload):
    name: PrivateText = ""
    branches: list["Tree"] = []


class Planted(Payload):
    value: Tree


@pytest.mark.parametrize(
    ("contract", "value"),
    [
        (Optional, "Ada"),
        (Listed, ["Ada", "Bob"]),
        (Mapped, {"x": ADA}),
        (Mapped, {"row": ADA}),
        (ListedMapped, [{"x": ADA}, {"y": BOB}]),
        pytest.param(OtherwiseMapped, {"x": ADA}),
        pytest.param(Rooted, ["Ada"]),
        (Alternative, ADA),
        (Alternative, [ADA, BOB]),
        (Planted, {"name": "Ada", "branches": [{"name": "Bob"}]}),
    ],
)
def test_private_values_are_hidden_wherever_a_contract_may_put_them(shop, contract, value):
    signal = shop.signal("value_given", contract)
    stored = contracts.validate(signal.name, contract, {"value": value}).model_dump(mode="json")
    shown = str(contracts.masked(signal.name, stored))
    assert MASK in shown
    assert "Ada" not in shown and "Bob" not in shown


def test_a_field_that_the_contract_no_longer_has_is_hidden(party_given):
    """It may have been a private one: nobody can tell any more."""
    shown = contracts.masked(party_given, {**STORED, "former_name": "Ada", "address": {"street": "Main Street"}})
    assert "Ada" not in str(shown) and "Main Street" not in str(shown)


def test_without_a_contract_what_looks_private_is_hidden(shop):
    signal = shop.signal("anything_happened")
    shown = contracts.masked(signal.name, {"n": 1, "username": "ada", "x": ["ada@example.com"], "order": "EDX-1"})
    assert shown == {"n": 1, "username": MASK, "x": [MASK], "order": "EDX-1"}


@pytest.mark.parametrize("contract", [PaymentCaptured, OrderPlaced, EnrollmentRequested])
def test_the_shared_vocabulary_marks_names_and_addresses_private(shop, contract):
    signal = shop.signal("known", contract)
    shown = contracts.masked(signal.name, dict.fromkeys(contract.model_fields, "x"))
    hidden = {name for name, value in shown.items() if value == MASK}
    assert hidden == {"username", "email"} & set(contract.model_fields)
    assert "username" in hidden


# --- Reading back ---


def test_a_payload_comes_back_as_it_was_sent(shop):
    class Everything(Payload):
        at: datetime.datetime
        day: datetime.date
        key: uuid.UUID
        ratio: decimal.Decimal
        money: Money
        raw: bytes
        rows: tuple[int, ...]
        names: frozenset[str]

    values = {
        "at": datetime.datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 5, 4),
        "key": uuid.uuid4(),
        "ratio": decimal.Decimal("0.10"),
        "money": Money(amount=14900, currency="EUR"),
        "raw": b"abc",
        "rows": (1, 2),
        "names": frozenset({"Ada"}),
    }
    signal = shop.signal("everything_happened", Everything)
    payload = contracts.validate(signal.name, Everything, values)
    assert contracts.values_of(payload) == values
    assert contracts.read(signal.name, payload.model_dump(mode="json")) == values


def test_reading_drops_fields_that_the_contract_no_longer_has_at_every_depth(party_given):
    stored = {
        "order": "EDX-1",
        "gone": 1,
        "party": {"host": {**ADA, "gone": 2}, "guests": [{**BOB, "gone": 3}], "gone": 4},
    }
    party = Party(host=Guest(**ADA), guests=(Guest(**BOB),))
    assert contracts.read(party_given, stored) == {"order": "EDX-1", "party": party}


def test_reading_fills_fields_that_are_newer_than_the_payload(party_given):
    (party,) = (contracts.read(party_given, {"order": "EDX-1", "party": {"host": ADA}})["party"],)
    assert (party.cake, party.guests, party.stand_in) == ("", (), None)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        pytest.param({"party": {"host": ADA}}, "order", id="missing"),
        pytest.param({"order": "EDX-1", "party": {"host": {"name": "Ada"}}}, "party.host.row", id="missing inside"),
        pytest.param({"order": "EDX-1", "party": {"host": {**ADA, "row": "Ada"}}}, "party.host.row", id="another type"),
        pytest.param(["Ada"], "payload", id="no object"),
    ],
)
def test_a_payload_that_no_longer_fits_gives_up_naming_fields_and_no_values(party_given, stored, named):
    with pytest.raises(GiveUp) as given_up:
        contracts.read(party_given, stored)
    assert f"The stored payload no longer fits PartyGiven: {named}: " in str(given_up.value)
    assert "Ada" not in "".join(traceback.format_exception(given_up.value))


@pytest.mark.parametrize("contract", [None, PartyGiven])
def test_a_payload_that_was_not_kept_gives_up(shop, contract):
    signal = shop.signal("party_given", contract)
    with pytest.raises(GiveUp, match="was not kept"):
        contracts.read(signal.name, None)


def test_without_a_contract_the_stored_values_are_the_payload(shop):
    stored = {"anything": [1, {"x": None}]}
    assert contracts.read(shop.signal("anything_happened").name, stored) == stored


def test_reading_is_no_stricter_than_sending_about_types(shop):
    class Strict(BaseModel, strict=True):
        rows: tuple[int, ...]
        key: uuid.UUID

    signal = shop.signal("strict_thing_happened", Strict)
    values = {"rows": (1, 2), "key": uuid.uuid4()}
    stored = contracts.validate(signal.name, Strict, values).model_dump(mode="json")
    assert contracts.read(signal.name, stored) == values
