"""What CoordinatorSignal promises to who sends, and what it keeps of each sending."""

import datetime
import decimal
import logging
import traceback
import types
import uuid

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.dispatch import Signal, receiver
from pydantic import BaseModel

from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.exceptions import ConnectRefused, InvalidPayload, SendRefused
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.testing import run_deliveries, sent
from commerce_coordinator.core.testing.database_faults import inserts_fail
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.payloads.money import Money

State = Delivery.State

# Constraints, rollbacks and letter case differ between databases; these promises do not.
pytestmark = pytest.mark.database


class Seat(Payload):
    row: int
    name: PrivateText


class SeatSold(Payload):
    order: str
    seat: Seat
    money: Money | None = None


SOLD = {"order": "EDX-1", "seat": {"row": 7, "name": "Ada Lovelace"}}


@pytest.fixture
def seat_sold(shop):
    return shop.signal("seat_sold", SeatSold, subject="order")


@pytest.fixture
def anything_happened(shop):
    return shop.signal("anything_happened")


class Diary(list):
    """Inline receivers that note that they ran."""

    def receiver(self, shop, name, *, error=None):
        def note(**values):
            self.append(name)
            if error is not None:
                raise error
            return f"{name} done"

        note.__name__ = name
        return shop.receiver(note)


@pytest.fixture
def diary():
    return Diary()


# --- Receivers come from the map ---


def test_connect_is_refused_and_says_where_receivers_come_from(seat_sold):
    def take_note(**kwargs):
        pass

    with pytest.raises(ConnectRefused, match=r"CC_SIGNALS alone\. Add a route there"):
        seat_sold.connect(take_note)
    with pytest.raises(ConnectRefused, match="CC_SIGNALS"):
        receiver(seat_sold)(take_note)
    assert seat_sold.receivers == []


def test_a_signal_finds_its_own_path():
    module = types.ModuleType("test_shop_of_names")
    source = "from commerce_coordinator.core.signals.signal import CoordinatorSignal as C\nseat_sold = C()"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, module.__name__, module)
        exec(source, vars(module))
        assert module.seat_sold.name == "test_shop_of_names.seat_sold"
        assert repr(module.seat_sold) == "<CoordinatorSignal test_shop_of_names.seat_sold>"


def test_a_signal_that_no_module_holds_says_so():
    assert CoordinatorSignal().name == f"{__name__}.<unnamed>"


def test_has_listeners_tells_of_the_map(shop, seat_sold, diary):
    diary.receiver(shop, "take_note")
    assert not seat_sold.has_listeners()
    with shop.routed(seat_sold=["take_note"]):
        assert seat_sold.has_listeners()
    assert not seat_sold.has_listeners()


# --- Sending: refusals ---


def test_send_is_refused_and_says_what_to_call(seat_sold):
    with pytest.raises(SendRefused, match=r"send_robust\(\) or asend_robust\(\)"):
        seat_sold.send(sender="test", **SOLD)


def test_asend_is_refused_and_says_what_to_call(seat_sold):
    with pytest.raises(SendRefused, match=r"send_robust\(\) or asend_robust\(\)"):
        async_to_sync(seat_sold.asend)(sender="test", **SOLD)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({**SOLD, "hall": "The Private Hall"}, ["hall"], id="unknown field"),
        pytest.param({"order": "EDX-1"}, ["seat"], id="missing field"),
        pytest.param({**SOLD, "order": ["The Private Hall"]}, ["order"], id="wrong type"),
        pytest.param(
            {**SOLD, "seat": {"row": "The Private Hall", "name": "Ada"}}, ["seat.row"], id="nested wrong type"
        ),
        pytest.param(
            {**SOLD, "seat": {**SOLD["seat"], "hall": "The Private Hall"}}, ["seat.hall"], id="nested unknown"
        ),
        pytest.param({**SOLD, "money": {"amount": 1.5, "currency": "EUR"}}, ["money.amount"], id="a float for money"),
        pytest.param({"order": 5, "hall": "The Private Hall"}, ["order", "hall", "seat"], id="several at once"),
    ],
)
@pytest.mark.django_db
def test_what_does_not_fit_is_refused_naming_fields_and_no_values(shop, seat_sold, diary, values, named):
    diary.receiver(shop, "take_note")
    with shop.routed(seat_sold=["take_note"]), pytest.raises(InvalidPayload) as refused:
        seat_sold.send_robust(sender="test", **values)
    assert all(f"{field}: " in str(refused.value) for field in named)
    assert "test_shop.seat_sold" in str(refused.value) and "SeatSold" in str(refused.value)
    logged = "".join(traceback.format_exception(refused.value))
    assert not [value for value in ("Private Hall", "Ada", "Lovelace") if value in logged]
    assert not Dispatch.objects.exists() and not diary


@pytest.mark.django_db
def test_not_even_a_careless_contract_leaks_values(shop):
    class Careless(BaseModel):  # shows its input in errors, unlike our own base
        name: int

    signal = shop.signal("careless_thing_happened", Careless)
    values = {"name": "Ada Lovelace"}
    with shop.routed(), pytest.raises(InvalidPayload) as refused:
        signal.send_robust(sender="test", **values)
    assert "name: " in str(refused.value)
    assert "Ada" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.django_db
def test_a_sending_that_cannot_be_written_raises_and_nobody_gets_it(shop, seat_sold, diary):
    diary.receiver(shop, "take_note")
    with (
        shop.routed(seat_sold=["take_note"]),
        inserts_fail(Dispatch, DatabaseError("The disk is full.")),
        pytest.raises(DatabaseError, match="disk is full"),
    ):
        seat_sold.send_robust(sender="test", **SOLD)
    assert not diary


# --- Sending: what comes back ---


@pytest.mark.django_db
def test_the_answer_is_djangos_list_of_pairs_in_the_maps_order(shop, seat_sold, diary):
    take_note = diary.receiver(shop, "take_note")
    burn_toast = diary.receiver(shop, "burn_toast", error=RuntimeError("The toast is black."))

    @shop.task
    def print_ticket(order, seat):
        raise AssertionError("A delivery task is run by a worker.")

    with shop.routed(seat_sold=["print_ticket", "burn_toast", "take_note"]):
        answer = seat_sold.send_robust(sender="test", **SOLD)
    (task, delivery), (burner, error), (noter, result) = answer
    assert task.__name__ == "print_ticket"
    assert delivery == Delivery.objects.get(kind=Delivery.Kind.TASK)
    assert delivery.state == State.PENDING and delivery.receiver == "test_shop.print_ticket"
    assert burner is burn_toast and isinstance(error, RuntimeError)
    assert noter is take_note and result == "take_note done"


@pytest.mark.django_db
def test_a_failing_inline_receiver_reaches_neither_sender_nor_siblings(shop, seat_sold, diary):
    for name, error in {"first": None, "second": ValueError("No."), "third": None}.items():
        diary.receiver(shop, name, error=error)
    with shop.routed(seat_sold=["first", "second", "third"]):
        seat_sold.send_robust(sender="test", **SOLD)
    assert diary == ["first", "second", "third"]
    ends = dict(Delivery.objects.values_list("receiver", "state"))
    assert ends == {
        "test_shop.first": State.SUCCEEDED,
        "test_shop.second": State.DEAD,
        "test_shop.third": State.SUCCEEDED,
    }
    dead = Delivery.objects.get(state=State.DEAD)
    assert (dead.error_class, dead.error_text) == ("ValueError", "No.")
    assert dead.settled_at is not None and dead.lease_until is None and dead.wake_at is None


@pytest.mark.django_db
def test_inline_receivers_get_typed_values_and_what_they_ask_for(shop, seat_sold):
    got = {}

    @shop.receiver
    def ask_for_little(order):
        got["little"] = order

    @shop.receiver
    def ask_for_the_sender(sender, signal, seat):
        got["sender"] = (sender, signal, seat)

    @shop.receiver
    def ask_for_all(**kwargs):
        got["all"] = kwargs

    sender = object()
    with shop.routed(seat_sold=["ask_for_little", "ask_for_the_sender", "ask_for_all"]):
        seat_sold.send_robust(sender=sender, **SOLD)
    seat = Seat(row=7, name="Ada Lovelace")
    assert got["little"] == "EDX-1"
    assert got["sender"] == (sender, "test_shop.seat_sold", seat)
    everything = {"sender": sender, "signal": "test_shop.seat_sold", "order": "EDX-1", "seat": seat, "money": None}
    assert got["all"] == everything


# --- Sending and transactions ---


@pytest.mark.django_db(transaction=True)
def test_inline_receivers_run_after_the_commit(shop, seat_sold):
    seen = {}

    @shop.receiver
    def look_around(**values):
        seen["in a transaction"] = connection.in_atomic_block
        seen["rows"] = (Dispatch.objects.count(), Delivery.objects.count())

    with shop.routed(seat_sold=["look_around"]):
        seat_sold.send_robust(sender="test", **SOLD)
    assert seen == {"in a transaction": False, "rows": (1, 1)}


@pytest.mark.django_db(transaction=True)
def test_in_an_open_transaction_inline_receivers_run_on_commit(shop, seat_sold, diary):
    diary.receiver(shop, "burn_toast", error=RuntimeError())
    diary.receiver(shop, "take_note")
    with shop.routed(seat_sold=["burn_toast", "take_note"]):
        with transaction.atomic():
            answer = seat_sold.send_robust(sender="test", **SOLD)
            assert not diary
        # One failed: neither the committer nor its sibling noticed.
        assert diary == ["burn_toast", "take_note"]
    assert [type(result) for _, result in answer] == [Delivery, Delivery]
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DEAD, State.SUCCEEDED}


@pytest.mark.django_db(transaction=True)
def test_nothing_that_fails_after_the_commit_reaches_the_committer(shop, seat_sold, diary, monkeypatch):
    def fail(recorded):
        diary.append("failed")
        raise DatabaseError("The connection is gone.")

    diary.receiver(shop, "take_note")
    monkeypatch.setattr(inline, "run", fail)
    with shop.routed(seat_sold=["take_note"]), transaction.atomic():
        seat_sold.send_robust(sender="test", **SOLD)
    assert diary == ["failed"]
    assert Dispatch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_sending_along(shop, seat_sold, diary):
    diary.receiver(shop, "take_note")
    with shop.routed(seat_sold=["take_note"]), pytest.raises(ZeroDivisionError), transaction.atomic():
        seat_sold.send_robust(sender="test", **SOLD)
        raise ZeroDivisionError
    assert not diary
    assert not Dispatch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_receivers_broken_transaction_breaks_nothing_else(shop, seat_sold, diary):
    @shop.receiver
    def write_twice(**values):
        with transaction.atomic():
            for _ in range(2):
                Dispatch(signal="x", dedupe_key="x", origin="web", map_hash="", trace_id="", span_id="").save()

    diary.receiver(shop, "take_note")
    with shop.routed(seat_sold=["write_twice", "take_note"]):
        (_, error), (_, result) = seat_sold.send_robust(sender="test", **SOLD)
    assert isinstance(error, IntegrityError) and result == "take_note done"
    assert Delivery.objects.get(receiver="test_shop.write_twice").error_class == "IntegrityError"
    assert Dispatch.objects.count() == 1


# --- Once ---


def _unique(shop, **options):
    return shop.signal("seat_paid", SeatPaid, unique_by=("account", "payment"), **options)


class SeatPaid(Payload):
    account: str | None
    payment: str | None
    order: str = ""


@pytest.mark.parametrize(
    "in_a_transaction",
    [
        pytest.param(False, marks=pytest.mark.django_db(transaction=True), id="by itself"),
        pytest.param(True, marks=pytest.mark.django_db, id="in a surrounding transaction"),
    ],
)
def test_unique_by_sends_once(shop, diary, in_a_transaction):
    seat_paid = _unique(shop)
    diary.receiver(shop, "take_note")

    @shop.task
    def print_ticket(payment):
        diary.append(f"ticket {payment}")

    with shop.routed(seat_paid=["take_note", "print_ticket"]):
        first = seat_paid.send_robust(sender="test", account="us", payment="pi_1", order="EDX-1")
        again = seat_paid.send_robust(sender="test", account="us", payment="pi_1", order="EDX-other")
        assert diary == ["take_note"]
        assert Dispatch.objects.count() == 1
        # What is there comes back, with its deliveries.
        assert again[1][1] == first[1][1]
        assert again[0][1] == Delivery.objects.get(kind=Delivery.Kind.INLINE)

        seat_paid.send_robust(sender="test", account="us", payment="pi_2")
        seat_paid.send_robust(sender="test", account="eu", payment="pi_1")
        assert len(run_deliveries()) == 3
    assert [each["order"] for each in sent(seat_paid)] == ["EDX-1", "", ""]
    assert diary == ["take_note"] * 3 + ["ticket pi_1", "ticket pi_2", "ticket pi_1"]
    assert connection.in_atomic_block is in_a_transaction


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a:b", "c"), ("a", "b:c"), id="a colon in a field"),
        pytest.param(("a:b", "c"), ("a%3Ab", "c"), id="an escaped colon in a field"),
        pytest.param(("", "pi_a"), ("", "pi_A"), id="case"),
        pytest.param(("", "x" * 300 + "a"), ("", "x" * 300 + "b"), id="longer than the column"),
        pytest.param((None, None), (None, None), id="no key at all"),
    ],
)
def test_payments_whose_keys_look_alike_are_two(shop, one, other):
    seat_paid = _unique(shop)
    with shop.routed():
        for account, payment in (one, other):
            seat_paid.send_robust(sender="test", account=account, payment=payment)
    first, second = Dispatch.objects.values_list("dedupe_key", flat=True)
    assert first != second and len(first) <= 255 and len(second) <= 255


@pytest.mark.django_db
def test_a_key_too_long_for_its_column_still_sends_once(shop):
    seat_paid = _unique(shop)
    with shop.routed():
        for _ in range(2):
            seat_paid.send_robust(sender="test", account="", payment="x" * 300)
    assert Dispatch.objects.count() == 1


@pytest.mark.django_db
def test_without_a_business_key_each_sending_is_one(shop, seat_sold):
    with shop.routed():
        for _ in range(2):
            seat_sold.send_robust(sender="test", **SOLD)
    assert Dispatch.objects.count() == 2


# --- Asynchronous senders ---


@pytest.mark.django_db
def test_asend_robust_is_the_way_in_from_async_code(shop, seat_sold, diary):
    diary.receiver(shop, "take_note")
    diary.receiver(shop, "burn_toast", error=RuntimeError())

    async def view():
        return await seat_sold.asend_robust(sender="test", **SOLD)

    with shop.routed(seat_sold=["take_note", "burn_toast"]):
        (_, result), (_, error) = async_to_sync(view)()
    assert result == "take_note done" and isinstance(error, RuntimeError)
    assert Dispatch.objects.get().subject == "EDX-1"


@pytest.mark.django_db
def test_asend_robust_keeps_to_the_trace_of_its_caller(shop, seat_sold):
    async def view():
        with span("view") as step:
            await seat_sold.asend_robust(sender="test", **SOLD)
            return step.trace_id

    with shop.routed():
        assert async_to_sync(view)() == Dispatch.objects.get().trace_id


# --- Without a contract ---


@pytest.mark.django_db
def test_without_a_contract_inline_receivers_get_any_values(shop, anything_happened):
    got = {}

    @shop.receiver
    def take_note(what, **kwargs):
        got["what"] = what

    thing = object()
    with shop.routed(anything_happened=["take_note"]):
        ((_, result),) = anything_happened.send_robust(sender="test", what=thing)
    assert result is None and got == {"what": thing}
    assert Dispatch.objects.get().payload is None


@pytest.mark.django_db
def test_without_a_contract_a_delivery_task_demands_json(shop, anything_happened):
    @shop.task
    def take_note(what):
        pass

    with shop.routed(anything_happened=["take_note"]), pytest.raises(InvalidPayload) as refused:
        anything_happened.send_robust(sender="test", what=object(), who="Ada Lovelace")
    assert "test_shop.anything_happened is routed to a delivery task, so its values must be JSON" in str(refused.value)
    assert "Ada" not in str(refused.value)
    assert not Dispatch.objects.exists()


@pytest.mark.django_db
def test_without_a_contract_what_json_can_say_reaches_a_delivery_task(shop, anything_happened):
    got = {}

    @shop.task
    def take_note(**values):
        got.update(values)

    key = uuid.uuid4()
    values = {
        "n": 1,
        "at": datetime.datetime(2026, 5, 4, tzinfo=datetime.UTC),
        "d": decimal.Decimal("1.50"),
        "key": key,
    }
    with shop.routed(anything_happened=["take_note"]):
        anything_happened.send_robust(sender="test", **values)
        run_deliveries()
    assert got == {"n": 1, "at": "2026-05-04T00:00:00Z", "d": "1.50", "key": str(key)}


# --- What is kept ---


class Till:
    def ring(self):
        pass


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sender", "kept"),
    [
        (None, ""),
        ("the till", "the till"),
        (Till, f"{__name__}.Till"),
        (Till(), f"{__name__}.Till"),
        (Till.ring, f"{__name__}.Till.ring"),
        ("x" * 300, "x" * 255),
    ],
)
def test_the_sender_is_kept_by_name(shop, seat_sold, sender, kept):
    with shop.routed():
        seat_sold.send_robust(sender=sender, **SOLD)
    assert Dispatch.objects.get().sender == kept


@pytest.mark.django_db
def test_a_dispatch_keeps_subject_person_origin_map_and_trace(shop, diary):
    class Greeted(Payload):
        order: str
        user: int | None

    greeted = shop.signal("greeted", Greeted, subject="order", person="user")
    diary.receiver(shop, "take_note")
    with shop.routed(greeted=["take_note"]), span("webhook") as step:
        greeted.send_robust(sender="test", order="EDX-1", user=42)
        greeted.send_robust(sender="test", order="EDX-2", user=None)
        map_hash = greeted.map_hash
    first, second = Dispatch.objects.order_by("id")
    assert (first.subject, first.person, second.person) == ("EDX-1", "42", "")
    assert first.origin == settings.CC_ORIGIN
    assert first.map_hash == map_hash != ""
    assert first.trace_id == second.trace_id == step.trace_id
    assert len({first.span_id, second.span_id, step.span_id}) == 3
    assert first.parent_id is None and first.attempt_id is None
    assert first.payload == {"order": "EDX-1", "user": 42}
    assert not first.unrouted


@pytest.mark.django_db
def test_a_sending_that_nobody_gets_is_marked(shop, seat_sold):
    with shop.routed():
        assert seat_sold.send_robust(sender="test", **SOLD) == []
    assert Dispatch.objects.get().unrouted


@pytest.mark.django_db
def test_news_that_nobody_need_hear_is_kept_and_not_held_up_to_the_operator(shop, seat_sold, monkeypatch):
    monkeypatch.setattr(seat_sold, "needs_receiver", False)
    with shop.routed():
        assert seat_sold.send_robust(sender="test", **SOLD) == []
    assert not Dispatch.objects.get().unrouted


@pytest.mark.django_db
def test_each_sending_outside_a_span_starts_a_trace(shop, seat_sold):
    with shop.routed():
        for _ in range(2):
            seat_sold.send_robust(sender="test", **SOLD)
    traces = set(Dispatch.objects.values_list("trace_id", flat=True))
    assert len(traces) == 2 and all(len(trace) == 32 for trace in traces)


# --- Signals that follow from signals ---


@pytest.fixture
def ticket_printed(shop):
    return shop.signal("ticket_printed")


@pytest.mark.django_db
def test_what_a_delivery_task_sends_hangs_on_its_attempt(shop, seat_sold, ticket_printed):
    @shop.task(sends=["test_shop.ticket_printed"])
    def print_ticket(order):
        ticket_printed.send_robust(sender="printer", order=order)

    with shop.routed(seat_sold=["print_ticket"]):
        seat_sold.send_robust(sender="test", **SOLD)
        (delivery,) = run_deliveries()
    outer, nested = Dispatch.objects.order_by("id")
    assert nested.signal == "test_shop.ticket_printed"
    assert nested.parent == delivery and delivery.dispatch == outer
    assert nested.attempt == Attempt.objects.get(delivery=delivery)
    assert nested.trace_id == outer.trace_id


@pytest.mark.django_db
def test_what_an_inline_receiver_sends_hangs_on_its_delivery(shop, seat_sold, ticket_printed):
    @shop.receiver
    def print_ticket(order):
        ticket_printed.send_robust(sender="printer", order=order)

    with shop.routed(seat_sold=["print_ticket"]):
        seat_sold.send_robust(sender="test", **SOLD)
    outer, nested = Dispatch.objects.order_by("id")
    assert nested.parent == outer.deliveries.get()
    assert nested.attempt_id is None
    assert nested.trace_id == outer.trace_id


@pytest.mark.django_db
def test_a_retry_after_sending_adds_nothing_and_goes_on(shop, seat_sold, ticket_printed, time_machine_later):
    """The first try dies between its two sendings, the second after both: each is there once."""
    tries = []

    @shop.task(sends=["test_shop.ticket_printed"])
    def print_tickets(order):
        tries.append(order)
        ticket_printed.send_robust(sender="printer", order=order, copy=1)
        if len(tries) == 1:
            raise RuntimeError("The paper is out.")
        ticket_printed.send_robust(sender="printer", order=order, copy=2)
        if len(tries) == 2:
            raise RuntimeError("The ink is out.")

    with shop.routed(seat_sold=["print_tickets"]):
        seat_sold.send_robust(sender="test", **SOLD)
        for _ in range(3):
            (delivery,) = run_deliveries()
            time_machine_later()
    assert delivery.state == State.SUCCEEDED and len(tries) == 3
    assert [each["copy"] for each in sent(ticket_printed)] == [1, 2]
    first, second = Dispatch.objects.filter(signal="test_shop.ticket_printed").order_by("id")
    assert first.parent == second.parent == delivery
    attempts = list(Attempt.objects.order_by("number"))
    # Each hangs on the try that sent it first.
    assert (first.attempt, second.attempt) == (attempts[0], attempts[1])


@pytest.fixture
def time_machine_later(time_machine):
    """Each call goes on by an hour."""
    time_machine.move_to("2030-01-01T00:00:00Z", tick=False)
    return lambda: time_machine.shift(datetime.timedelta(hours=1))


UNDECLARED = "A delivery task sent a signal that it does not declare."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sends", "warned"), [(["test_shop.ticket_printed"], False), ([], True), (["test_shop.seat_sold"], True)]
)
def test_an_undeclared_sending_is_sent_and_warned_of(shop, seat_sold, ticket_printed, caplog, sends, warned):
    @shop.task(sends=sends)
    def print_ticket(order):
        ticket_printed.send_robust(sender="printer", order=order)

    with shop.routed(seat_sold=["print_ticket"]):
        seat_sold.send_robust(sender="test", **SOLD)
        run_deliveries()
    assert len(sent(ticket_printed)) == 1
    warnings = [record for record in caplog.records if record.getMessage() == UNDECLARED]
    assert bool(warnings) is warned
    for record in warnings:
        assert record.levelno == logging.WARNING
        assert (record.receiver, record.signal) == ("test_shop.print_ticket", "test_shop.ticket_printed")


@pytest.mark.django_db
def test_a_signal_object_is_as_good_a_declaration_as_its_path(shop, seat_sold, ticket_printed, caplog):
    @shop.task(sends=[ticket_printed])
    def print_ticket(order):
        ticket_printed.send_robust(sender="printer", order=order)

    with shop.routed(seat_sold=["print_ticket"]):
        seat_sold.send_robust(sender="test", **SOLD)
        run_deliveries()
    assert UNDECLARED not in caplog.messages


def test_django_itself_is_not_asked_for_receivers(seat_sold):
    """`Signal.connect(signal, f)` goes round us: what it connects is never called, and start-up names it."""

    def take_note(**kwargs):
        raise AssertionError("Not from the map.")

    Signal.connect(seat_sold, take_note)
    try:
        assert [reference() for reference in seat_sold.receivers_beside_the_map()] == [take_note]
    finally:
        Signal.disconnect(seat_sold, take_note)
    assert seat_sold.receivers_beside_the_map() == []
