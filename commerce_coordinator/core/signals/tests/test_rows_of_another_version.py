"""Rows written by yesterday's code meet today's, and rows of tomorrow's code meet today's, as while a deploy runs."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
import time_machine
from celery import current_app
from pydantic import AliasChoices, Field

from commerce_coordinator.core import trace, trace_text
from commerce_coordinator.core.deliveries import publish
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.relay import Relay
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import CANARY_TASK, deliver
from commerce_coordinator.payloads.base import Payload
from commerce_coordinator.payloads.money import Money

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

#: What a row holds, whatever the code says of it today.
STORED = {"order": "EDX-1", "seats": 2, "money": {"amount": 14900, "currency": "USD"}, "name": "Ada"}


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def published(monkeypatch) -> list[tuple[str, str]]:
    """What the relay published: (task, delivery id)."""
    taken: list[tuple[str, str]] = []

    def send(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        if task != CANARY_TASK:
            taken.append((task, arguments[0]))

    monkeypatch.setattr(publish.Publisher, "_send", send)
    return taken


def stored(
    payload: Any = STORED, *, signal: str = "test_shop.seat_sold", receiver: str = "test_shop.reserve", **row: Any
) -> Delivery:
    """The rows of a sending as another version wrote them: no contract, no map and no registry of today has a say."""
    dispatch = Dispatch(signal=signal, payload=payload, origin="web", subject="EDX-1", map_hash="of another map")
    dispatch.dedupe_key, dispatch.trace_id = dispatch.pk.hex, "a" * 32
    dispatch.save(force_insert=True)
    delivery = Delivery(dispatch=dispatch, receiver=receiver, **{"kind": "task", "wake_at": NOON, **row})
    delivery.idempotency_key = delivery.pk.hex
    delivery.save(force_insert=True)
    return delivery


def reserves(shop: Any) -> list[dict[str, Any]]:
    """Today's receiver; the list has what it was given."""
    given: list[dict[str, Any]] = []

    @shop.task
    def reserve(**values: Any) -> None:
        given.append(values)

    return given


def ends(delivery: Delivery) -> tuple[str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.error_class


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# --- A contract that is another today ---


class Same(Payload):
    order: str
    seats: int
    money: Money
    name: str


class GainedWithDefault(Same):
    row: str = "any"


class GainedWithin(Payload):
    class Price(Payload):
        amount: int
        currency: str
        tax: int = 0

    money: Price


class LostSome(Payload):
    order: str


class Renamed(Payload):
    places: int = Field(validation_alias=AliasChoices("places", "seats"))


class OtherTypeThatFits(Payload):
    seats: float


class GainedWithoutDefault(Same):
    row: str


class OtherType(Payload):
    name: int


class Narrowed(Payload):
    name: Literal["Bob"]


MONEY = Money(amount=14900, currency="USD")
WHOLE = {**STORED, "money": MONEY}


@pytest.mark.parametrize(
    ("contract", "given"),
    [
        (Same, WHOLE),
        (GainedWithDefault, {**WHOLE, "row": "any"}),
        (GainedWithin, {"money": GainedWithin.Price(amount=14900, currency="USD", tax=0)}),
        (LostSome, {"order": "EDX-1"}),
        (Renamed, {"places": 2}),
        (OtherTypeThatFits, {"seats": 2.0}),
        (None, STORED),
    ],
)
def test_stored_payload_is_read_by_the_contract_of_today(shop, contract, given) -> None:
    received = reserves(shop)
    shop.signal("seat_sold", contract)
    assert deliver(stored().pk.hex) == "succeeded"
    assert received == [given]


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (GainedWithoutDefault, "no longer fits GainedWithoutDefault: row: Field required"),
        (OtherType, "no longer fits OtherType: name: Input should be a valid integer"),
        (Narrowed, "no longer fits Narrowed: name: Input should be 'Bob'"),
    ],
)
def test_stored_payload_that_fits_no_longer_is_dead_with_the_reason_and_replayed_after_a_fix(
    shop, published, contract, said: str
) -> None:
    received = reserves(shop)
    shop.signal("seat_sold", contract)
    delivery = stored()
    assert deliver(delivery.pk.hex) == "dead", "waiting does not heal it, and nothing goes round in circles"
    assert (ends(delivery), received) == (("dead", "GiveUp"), [])
    assert said in delivery.error_text
    assert "Ada" not in delivery.error_text

    shop.signal("seat_sold", GainedWithDefault)
    replay(delivery)
    assert deliver(delivery.pk.hex) == "succeeded"
    assert received == [{**WHOLE, "row": "any"}]


def test_receiver_that_wants_what_the_payload_never_had_waits_for_a_fix_by_the_schedule(shop) -> None:
    shop.signal("seat_sold", Same)

    @shop.task(schedule=[60])
    def reserve(order: str, row: str) -> None:  # not routed any more, so no check at start has seen it
        raise AssertionError

    delivery = stored()
    assert deliver(delivery.pk.hex) == "pending"
    assert ends(delivery) == ("pending", "TypeError")
    assert "row" in delivery.error_text


# --- Receivers that are others today ---


def test_renamed_receiver_gets_rows_and_messages_of_its_former_name(shop, published) -> None:
    shop.signal("seat_sold", Same)
    given = []

    @shop.task(aliases=["test_shop.former_name"])
    def reserve(order: str) -> None:
        given.append(order)

    delivery = stored(receiver="test_shop.former_name")
    Relay().tick(NOON)
    [(task, key)] = published
    assert task == "test_shop.former_name", "older workers know no other"
    message = current_app.tasks[task]
    message.push_request(called_directly=False)
    try:
        message(key)
    finally:
        message.pop_request()
    assert (ends(delivery), given) == (("succeeded", ""), ["EDX-1"])


def test_receiver_gone_and_back_within_the_grace_gets_its_delivery(shop, published) -> None:
    shop.signal("seat_sold", Same)
    delivery, relay = stored(), Relay()
    relay.tick(NOON)
    relay.tick(later(14 * 60))
    assert (ends(delivery), published) == (("pending", ""), [])
    reserves(shop)
    relay.tick(later(15 * 60))
    assert published == [("test_shop.reserve", delivery.pk.hex)]
    with time_machine.travel(later(15 * 60), tick=False):
        assert deliver(delivery.pk.hex) == "succeeded"


@pytest.mark.parametrize("kind", ["task", "inline"])
def test_receiver_gone_for_good_is_dead_with_the_reason_and_replayed_when_it_is_back(shop, published, kind) -> None:
    shop.signal("seat_sold", Same)
    delivery = stored(kind=kind, generation=1)
    Relay().tick(later(15 * 60))
    assert (ends(delivery), published) == (("dead", "UnknownReceiver"), [])
    assert "renamed without an alias, or its plugin was removed" in delivery.error_text

    given = reserves(shop) if kind == "task" else []
    if kind == "inline":

        @shop.receiver
        def reserve(order: str) -> None:
            given.append({"order": order})

    replay(delivery)
    assert deliver(delivery.pk.hex) == "succeeded"
    assert given[0]["order"] == "EDX-1"


def test_inline_receiver_that_is_a_delivery_task_today_can_be_replayed(shop, published) -> None:
    shop.signal("seat_sold", Same)
    given = []

    @shop.task
    def reserve(order: str) -> None:
        given.append(order)

    delivery = stored(kind="inline", state="dead", wake_at=None)
    replay(delivery)
    assert deliver(delivery.pk.hex) == "succeeded"
    assert given == ["EDX-1"]


def test_delivery_task_that_is_an_inline_receiver_today_is_dead_with_the_reason(shop, published) -> None:
    shop.signal("seat_sold", Same)

    @shop.receiver
    def reserve(order: str) -> None:
        raise AssertionError

    delivery = stored()
    Relay().tick(later(15 * 60))
    assert ends(delivery) == ("dead", "UnknownReceiver")


def test_open_deliveries_of_a_removed_route_finish(shop, published) -> None:
    shop.signal("seat_sold", Same)
    given = reserves(shop)
    with shop.routed(seat_sold=["reserve"]):
        [(_, delivery)] = shop.module.seat_sold.send_robust("test", **WHOLE)
    with shop.routed(seat_sold=[]):
        Relay().tick(later(10))
        assert published[-1] == ("test_shop.reserve", delivery.pk.hex)
        assert deliver(delivery.pk.hex) == "succeeded"
        assert given == [WHOLE]


def test_delivery_of_a_signal_that_is_gone_gets_the_stored_values(shop) -> None:
    given = reserves(shop)
    assert deliver(stored(signal="test_shop.no_longer_defined").pk.hex) == "succeeded"
    assert given == [STORED]


# --- Rows of tomorrow's code ---


def test_fields_newer_than_the_contract_are_dropped(shop) -> None:
    received = reserves(shop)
    shop.signal("seat_sold", Same)
    newer = {**STORED, "row": "K", "money": {**STORED["money"], "tax": 1}}
    assert deliver(stored(newer).pk.hex) == "succeeded"
    assert received == [WHOLE]


def test_receiver_newer_than_this_relay_is_run_by_a_newer_worker_meanwhile(shop, published) -> None:
    """This relay waits; a newer one would publish at once, and a newer worker claims."""
    shop.signal("seat_sold", Same)
    delivery = stored()
    Relay().tick(NOON)
    reserves(shop)
    assert deliver(delivery.pk.hex) == "succeeded"
    Relay().tick(later(15 * 60))
    assert (ends(delivery), published) == (("succeeded", ""), [])


def test_state_that_only_newer_code_knows_is_left_to_it(shop, published) -> None:
    reserves(shop)
    delivery = stored(state="paused")
    Relay().tick(NOON)
    assert deliver(delivery.pk.hex) is None
    assert (ends(delivery), published) == (("paused", ""), [])
    assert delivery.wake_at is not None, "a newer relay is to find it"
    assert delivery.wake_at > NOON, "and this one is not to find it again at once"


@pytest.mark.parametrize("outcome", ["succeeded", "skipped"])
def test_what_newer_code_wrote_is_shown(shop, outcome: str) -> None:
    delivery = stored(state="paused")
    times = {"started_at": NOON, "ended_at": NOON}
    Attempt.objects.create(delivery=delivery, generation=0, number=1, outcome=outcome, calls=[{"new": 1}], **times)
    [story] = trace.find("EDX-1")
    shown = trace_text.as_dict(story)
    assert shown["dispatches"][0]["deliveries"][0]["state"] == "paused"
    assert "paused" in str(trace_text.as_tree(shown))
