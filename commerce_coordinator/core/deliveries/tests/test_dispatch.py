"""One dispatch per fact, one delivery per route, written with the sender's own rows or not at all."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from commerce_coordinator.core.deliveries import publish
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries

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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [IntegrityError("duplicate"), RuntimeError("deadlock found")])
def test_database_error_inside_an_inline_receiver_loses_nothing(monkeypatch, failure: Exception) -> None:
    def spoil(**_: object) -> None:
        with transaction.atomic():
            User.objects.create(username="ann")
            User.objects.create(username="bob")
            raise failure

    monkeypatch.setattr(r, "fail", spoil)
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.fail", f"{r.HERE}.note", f"{r.HERE}.act"]}):
        results = r.happened.send_robust(sender="test", order_number="EDX-1")
    assert results[0][1] is failure
    assert results[1][1] == "noted"
    states = dict(Delivery.objects.values_list("receiver", "state"))
    assert states == {f"{r.HERE}.fail": "dead", f"{r.HERE}.note": "succeeded", f"{r.HERE}.act": "pending"}
    assert not User.objects.exists()
