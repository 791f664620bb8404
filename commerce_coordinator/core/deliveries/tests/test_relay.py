"""The relay: what is due is published; what is lost is taken back; nothing is run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.deliveries import claims, publish, relay
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Heartbeat
from commerce_coordinator.core.deliveries.relay import Relay
from commerce_coordinator.core.deliveries.tasks import CANARY_TASK, canary, deliver
from commerce_coordinator.core.testing import routes_as

from . import receivers_for_tests as r

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def broker(monkeypatch) -> list[tuple[str, str]]:
    """What the broker took: (task, delivery id). Set `broker_is_away` to have it refuse."""
    taken: list[tuple[str, str]] = []

    def send(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], expires: float | None) -> None:
        if task != CANARY_TASK:
            taken.append((task, arguments[0]))

    monkeypatch.setattr(publish.Publisher, "_send", send)
    return taken


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_delivery_published_on_commit_is_left_alone_for_a_while(delivery: Delivery, broker) -> None:
    Relay().tick(later(9.9))
    assert broker == []


def test_unclaimed_delivery_is_published_again_with_growing_gaps(delivery: Delivery, broker) -> None:
    relay, published = Relay(), []
    for second in range(0, 200):
        before = len(broker)
        relay.tick(later(second))
        if len(broker) > before:
            published.append(second)
    assert published == [10, 20, 40, 80, 160]
    assert set(broker) == {(f"{r.HERE}.act", delivery.pk.hex)}
    assert r.calls == [], "the relay never runs a receiver"


def test_retry_is_published_when_it_is_due(delivery: Delivery, broker) -> None:
    Delivery.objects.update(next_attempt_at=later(300), wake_at=later(300))
    Relay().tick(later(299))
    assert broker == []
    Relay().tick(later(300))
    assert len(broker) == 1


def test_expired_lease_is_taken_back_and_published_by_the_schedule(delivery: Delivery, broker) -> None:
    claims.claim(delivery.pk)
    Relay().tick(later(89))
    assert broker == []
    Relay().tick(later(90))
    assert broker == []
    Relay().tick(later(90 + 12))
    assert broker == [(f"{r.HERE}.act", delivery.pk.hex)]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert Attempt.objects.get().outcome == "lost"


def test_deliveries_stay_due_while_the_broker_is_away(delivery: Delivery, monkeypatch, broker) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as away:
        away.setattr(publish.Publisher, "_send", refuse)
        Relay().tick(later(10))
    delivery.refresh_from_db()
    assert (delivery.wake_at, delivery.wakes) == (later(10), 0)
    publish.publisher.forget_failures()
    Relay().tick(later(11))
    assert len(broker) == 1


def test_two_relays_publish_twice_at_most_and_change_nothing_else(delivery: Delivery, broker) -> None:
    first, second = Relay(), Relay()
    first.tick(later(10))
    second.tick(later(10))
    assert len(broker) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 0)


def test_claim_between_select_and_update_keeps_its_lease(delivery: Delivery, monkeypatch) -> None:
    def claim_at_once(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], options: Any) -> None:
        if task != CANARY_TASK:
            claims.claim(delivery.pk)

    monkeypatch.setattr(publish.Publisher, "_send", claim_at_once)
    Relay().tick(later(10))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.wakes, delivery.wake_at) == ("running", 0, delivery.lease_until)


def test_attempt_that_failed_between_select_and_update_keeps_its_own_time(delivery: Delivery, monkeypatch) -> None:
    def fail_at_once(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], options: Any) -> None:
        if task != CANARY_TASK:
            r.script.append(RuntimeError("at once"))
            deliver(arguments[0])

    monkeypatch.setattr(publish.Publisher, "_send", fail_at_once)
    with time_machine.travel(later(10), tick=False):
        Relay().tick(later(10))
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert delivery.next_attempt_at >= later(20)
    assert (delivery.wake_at, delivery.wakes) == (delivery.next_attempt_at, 0)


def test_unknown_receiver_is_waited_for_through_a_deploy_and_then_dead(delivery: Delivery, broker) -> None:
    Delivery.objects.update(receiver="my_shop.tasks.newer_than_this_relay")
    relay = Relay()
    for minute in range(1, 15):
        relay.tick(later(60 * minute))
        delivery.refresh_from_db()
        assert delivery.state == "pending"
    relay.tick(later(60 * 16))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_class) == ("dead", "UnknownReceiver")
    assert broker == []


def test_inline_receiver_whose_process_died_is_dead_and_replayable(broker) -> None:
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.note"], f"{r.HERE}.followed": []}):
        r.happened.record("test", {"order_number": "EDX-9"})  # and the process dies before the inline receivers run
    Relay().tick(later(91))
    inline = Delivery.objects.get()
    assert (inline.state, inline.error_class) == ("dead", "LeaseExpired")
    assert broker == []


def test_canary_through_a_worker_proves_that_workers_work(broker) -> None:
    assert not Heartbeat.objects.filter(name="worker").exists()
    canary(NOON.timestamp())
    assert Heartbeat.objects.get(name="worker").beat_at == NOON


def test_relay_itself_beats(broker) -> None:
    Relay().tick(later(5))
    assert Heartbeat.objects.get(name="relay").beat_at == later(5)


@pytest.mark.parametrize(
    "module", ["1 / 0", "from django.db import models\nclass X(models.Model): pass", "def act(): pass"]
)
def test_receiver_of_a_removed_plugin_neither_stops_the_relay_nor_waits_for_ever(
    delivery: Delivery, broker, tmp_path, monkeypatch, module: str
) -> None:
    (tmp_path / "removed_plugin.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    Delivery.objects.update(receiver="removed_plugin.act")
    for minute in (1, 16):
        Relay().tick(later(60 * minute))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_class) == ("dead", "UnknownReceiver")
    assert broker == []


def test_row_that_cannot_be_dealt_with_keeps_no_other_waiting(delivery: Delivery, broker, monkeypatch) -> None:
    [(_, other)] = r.happened.send_robust(sender="test", order_number="EDX-2")
    real = relay.resolve

    def fail_for_one(path: str, kind: str) -> Any:
        if path == "poison":
            raise RuntimeError("nobody thought of this")
        return real(path, kind)

    Delivery.objects.filter(pk=delivery.pk).update(receiver="poison")
    monkeypatch.setattr(relay, "resolve", fail_for_one)
    Relay().tick(later(10))
    assert broker == [(f"{r.HERE}.act", other.pk.hex)]


def test_broker_that_takes_a_few_at_a_time_gets_each_once(db, monkeypatch) -> None:
    for number in range(10):
        r.happened.send_robust(sender="test", order_number=f"EDX-{number}")
    taken: list[str] = []
    room = [0]

    def send(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], options: Any) -> None:
        if task == CANARY_TASK:
            return
        if not room[0]:
            raise ConnectionResetError
        room[0] -= 1
        taken.append(arguments[0])

    monkeypatch.setattr(publish.Publisher, "_send", send)
    for _ in range(4):
        room[0] = 3
        publish.publisher.forget_failures()
        Relay().tick(later(10))
    assert len(taken) == len(set(taken)) == 10
