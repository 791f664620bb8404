"""One dispatch per fact, one delivery per route, written with the sender's own rows or not at all."""

import threading

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from commerce_coordinator.core.deliveries import publish
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries
from commerce_coordinator.core.testing.database_faults import updates_fail

from . import receivers_for_tests as r

pytestmark = [pytest.mark.django_db, pytest.mark.database]

User = get_user_model()


def test_sending_is_rolled_back_with_the_senders_own_rows() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        User.objects.create(username="ann")
        r.happened.send_robust(sender="test", order_number="EDX-1")
        raise ZeroDivisionError
    assert (Dispatch.objects.count(), Delivery.objects.count(), User.objects.count()) == (0, 0, 0)


def test_unique_fact_is_recorded_once() -> None:
    paid = CoordinatorSignal(unique_by=("payment_id",), name=f"{r.HERE}.paid")
    for _ in range(3):
        paid.send_robust(sender="test", payment_id="pi_1")
    paid.send_robust(sender="test", payment_id="PI_1")
    assert list(Dispatch.objects.order_by("id").values_list("dedupe_key", flat=True)) == ["pi_1", "PI_1"]


def test_signal_routed_to_nobody_is_listed_as_unrouted() -> None:
    r.followed.send_robust(sender="test")
    dispatch = Dispatch.objects.get()
    assert dispatch.unrouted
    assert not dispatch.deliveries.exists()


def test_task_that_died_after_sending_and_runs_again_adds_nothing() -> None:
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.send_on"], f"{r.HERE}.followed": [f"{r.HERE}.act"]}):
        [(_, delivery)] = r.happened.send_robust(sender="test", order_number="EDX-1")
        r.script.append(RuntimeError("after sending"))
        assert deliver(delivery.pk.hex) == "pending"
        Delivery.objects.update(next_attempt_at=delivery.created_at)
        assert deliver(delivery.pk.hex) == "succeeded"
    followed = Dispatch.objects.filter(signal=r.followed.name).order_by("id")
    assert [each.payload for each in followed] == [{"step": 1}, {"step": 2}]
    assert Delivery.objects.filter(dispatch__in=followed).count() == 2
    assert {each.parent_id for each in followed} == {delivery.pk}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("tries", "steps"),
    [
        ([["a", "b", "fail"], ["b", "c"]], ["a", "b", "c"]),  # the data changed between the tries
        ([["x", "fail"], ["new", "x"]], ["x", "new"]),  # the code did
        ([["x", "x", "fail"], ["x", "x"]], ["x", "x"]),  # the same, twice on purpose
    ],
)
def test_try_that_differs_from_the_one_before_neither_loses_nor_doubles_a_sending(tries, steps: list[str]) -> None:
    r.tries.extend(tries)
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.send_these"]}):
        [(_, delivery)] = r.happened.send_robust(sender="test", order_number="EDX-1")
        for _ in tries:
            Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.created_at)
            deliver(delivery.pk.hex)
    followed = Dispatch.objects.filter(signal=r.followed.name).order_by("id")
    assert [each.payload["step"] for each in followed] == steps


def test_replay_of_a_dead_delivery_adds_no_second_dispatch_and_a_forced_one_does() -> None:
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.send_on"]}):
        [(_, delivery)] = r.happened.send_robust(sender="test", order_number="EDX-1")
        r.script.append(r.GiveUp("after sending"))
        assert deliver(delivery.pk.hex) == "dead"
        delivery.refresh_from_db()
        replayed = replay(delivery)
        assert (replayed.state, replayed.generation, replayed.attempts) == ("pending", 1, 0)
        assert deliver(delivery.pk.hex) == "succeeded"
        assert Dispatch.objects.filter(signal=r.followed.name).count() == 2
        delivery.refresh_from_db()
        with pytest.raises(NotReplayable, match="--force"):
            replay(delivery)
        replay(delivery, force=True)
        assert deliver(delivery.pk.hex) == "succeeded"
    assert Dispatch.objects.filter(signal=r.followed.name).count() == 4


def test_dead_inline_receiver_is_replayed_by_a_worker() -> None:
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.fail"]}):
        r.happened.send_robust(sender="test", order_number="EDX-1")
    dead = Delivery.objects.get()
    assert (dead.state, dead.error_class) == ("dead", "ValueError")
    Delivery.objects.update(receiver=f"{r.HERE}.note")  # mended
    dead.refresh_from_db()
    replay(dead)
    [ran] = run_deliveries()
    assert ran.state == "succeeded"
    assert r.calls[0]["order_number"] == "EDX-1"


def test_delivery_in_flight_is_not_replayable(delivery: Delivery) -> None:
    with pytest.raises(NotReplayable, match="pending"):
        replay(delivery, force=True)


@pytest.mark.django_db(transaction=True)
def test_broker_and_database_lost_right_after_the_commit_fail_no_sending(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(publish.Publisher, "_send", refuse)
    with updates_fail(Delivery, OperationalError(2013, "Lost connection")):
        r.happened.send_robust(sender="test", order_number="EDX-1", value=1)
    assert Delivery.objects.get().state == "pending"


@pytest.mark.django_db(transaction=True)
def test_broker_that_refuses_costs_nothing_but_a_wake_up(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(publish.Publisher, "_send", refuse)
    r.happened.send_robust(sender="test", order_number="EDX-1")
    delivery = Delivery.objects.get()
    assert delivery.state == "pending"
    assert delivery.wake_at is not None
    assert delivery.wake_at <= timezone.now(), "the relay shall look at once"
    assert publish.publisher.resting


def meet_a_duplicate() -> None:
    with transaction.atomic():
        User.objects.create(username="first")
        User.objects.create(username="taken")


def meet_a_deadlock() -> None:
    """Two transactions that want each other's row; ours has done less, so it is the one that is undone."""
    if connection.vendor != "mysql":
        # SQLite has one writer and so no deadlocks: another of its operational errors stands in.
        with transaction.atomic(), connection.cursor() as cursor:
            User.objects.create(username="first")
            cursor.execute("SELECT 1 FROM no_such_table")
        return
    theirs, ours = threading.Event(), threading.Event()

    def other() -> None:
        try:
            with transaction.atomic():
                User.objects.filter(username__startswith="many").update(first_name="x")
                User.objects.filter(username="b").update(first_name="x")
                theirs.set()
                ours.wait(10)
                User.objects.filter(username="a").update(first_name="x")
        finally:
            connection.close()

    rival = threading.Thread(target=other)
    rival.start()
    try:
        with transaction.atomic():
            theirs.wait(10)
            User.objects.filter(username="a").update(first_name="y")
            ours.set()
            User.objects.create(username="first")
            User.objects.filter(username="b").update(first_name="y")
    finally:
        rival.join(20)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("meet", "failure"), [(meet_a_duplicate, IntegrityError), (meet_a_deadlock, OperationalError)])
def test_database_error_inside_an_inline_receiver_loses_nothing(monkeypatch, meet, failure: type[Exception]) -> None:
    names = ["taken", "a", "b", *(f"many{number}" for number in range(50))]
    User.objects.bulk_create(User(username=name) for name in names)
    monkeypatch.setattr(r, "fail", lambda **_: meet())
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.fail", f"{r.HERE}.note", f"{r.HERE}.act"]}):
        results = r.happened.send_robust(sender="test", order_number="EDX-1")
    assert isinstance(results[0][1], failure)
    if meet is meet_a_deadlock and connection.vendor == "mysql":
        assert results[0][1].args[0] == 1213
    assert results[1][1] == "noted"
    states = dict(Delivery.objects.values_list("receiver", "state"))
    assert states == {f"{r.HERE}.fail": "dead", f"{r.HERE}.note": "succeeded", f"{r.HERE}.act": "pending"}
    assert not User.objects.filter(username="first").exists()
