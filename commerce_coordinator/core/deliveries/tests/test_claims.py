"""Claim, settle, take back: one delivery has one owner at any time."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import OperationalError

from commerce_coordinator.core.deliveries import claims
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.testing.database_faults import inserts_fail

from . import receivers_for_tests as r

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_delivery_succeeds_in_one_attempt(delivery: Delivery) -> None:
    assert deliver(delivery.pk.hex) == "succeeded"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.wake_at, delivery.settled_at) == ("succeeded", 1, None, NOON)
    attempt = Attempt.objects.get()
    assert (attempt.pk, attempt.number, attempt.outcome) == (delivery.claim_id, 1, "succeeded")
    assert r.calls == [{"order_number": "EDX-1", "value": 1}]


def test_delivery_takes_at_most_four_statements(delivery: Delivery, django_assert_num_queries) -> None:
    # Beside them the settling transaction's own SAVEPOINT and RELEASE, as this test runs in one already.
    with django_assert_num_queries(6) as captured:
        deliver(delivery.pk.hex)
    statements = [each["sql"] for each in captured.captured_queries if "SAVEPOINT" not in each["sql"]]
    assert [sql.split()[0] for sql in statements] == ["SELECT", "UPDATE", "UPDATE", "INSERT"]


def test_settled_delivery_is_not_run_again_by_a_late_message(delivery: Delivery) -> None:
    deliver(delivery.pk.hex)
    assert deliver(delivery.pk.hex) is None
    assert len(r.calls) == 1


@pytest.mark.parametrize("message", ["", "garbage", "0" * 32, "01a209d2-e7c8-775d-960f-73bd7bc2f306"])
def test_garbage_in_a_message_changes_nothing(delivery: Delivery, message: str) -> None:
    assert deliver(message) is None
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("pending", 0)


def test_claimed_delivery_is_held_until_its_lease_ends(delivery: Delivery, noon) -> None:
    assert claims.claim(delivery.pk) is not None
    assert deliver(delivery.pk.hex) is None
    noon.move_to(NOON + LEASE - timedelta(seconds=1))
    assert deliver(delivery.pk.hex) is None
    assert r.calls == []


def test_failed_attempt_is_due_again_by_the_schedule_and_not_before(delivery: Delivery, noon) -> None:
    r.script.append(RuntimeError("the far side coughs"))
    assert deliver(delivery.pk.hex) == "pending"
    delivery.refresh_from_db()
    assert NOON + timedelta(seconds=10) <= delivery.next_attempt_at <= NOON + timedelta(seconds=12)
    assert (delivery.wake_at, delivery.error_class) == (delivery.next_attempt_at, "RuntimeError")
    assert deliver(delivery.pk.hex) is None, "an early message changes nothing"
    noon.move_to(delivery.next_attempt_at)
    assert deliver(delivery.pk.hex) == "succeeded"
    assert list(Attempt.objects.order_by("number").values_list("number", "outcome")) == [(1, "retry"), (2, "succeeded")]


def test_delivery_is_dead_when_its_attempts_are_spent(delivery: Delivery, noon) -> None:
    r.script.extend(RuntimeError("again") for _ in range(4))
    states = []
    for _ in range(4):
        states.append(deliver(delivery.pk.hex))
        delivery.refresh_from_db()
        noon.move_to(delivery.next_attempt_at)
    assert states == ["pending", "pending", "pending", "dead"]
    assert (delivery.wake_at, delivery.error_class, delivery.error_text) == (None, "RuntimeError", "again")
    assert deliver(delivery.pk.hex) is None


def test_give_up_is_dead_at_once(delivery: Delivery) -> None:
    r.script.append(GiveUp("no such course"))
    assert deliver(delivery.pk.hex) == "dead"
    delivery.refresh_from_db()
    assert (delivery.error_class, delivery.error_text) == ("GiveUp", "no such course")


def test_retry_after_of_the_far_side_is_honoured_up_to_twice_the_delay(delivery: Delivery) -> None:
    r.script.append(Retry("busy", after=17))
    deliver(delivery.pk.hex)
    delivery.refresh_from_db()
    assert delivery.next_attempt_at == NOON + timedelta(seconds=17)


def test_worker_paused_past_its_lease_cannot_settle(delivery: Delivery, noon) -> None:
    paused = claims.claim(delivery.pk)
    assert paused is not None
    noon.move_to(NOON + LEASE)
    assert deliver(delivery.pk.hex) is None, "taken back; due by the schedule"
    noon.shift(timedelta(seconds=12))
    assert deliver(delivery.pk.hex) == "succeeded", "another takes over"
    assert claims.settle(paused, RuntimeError("I was first"), schedule=(10,), calls=[]) is None
    delivery.refresh_from_db()
    assert delivery.state == "succeeded"
    assert list(Attempt.objects.order_by("number").values_list("number", "outcome")) == [(1, "lost"), (2, "succeeded")]


def test_worker_paused_past_its_lease_cannot_settle_for_the_one_that_runs_now(delivery: Delivery, noon) -> None:
    paused = claims.claim(delivery.pk)
    assert paused is not None
    noon.move_to(NOON + LEASE)
    assert claims.claim(delivery.pk) is None, "taken back; due by the schedule"
    noon.shift(timedelta(seconds=12))
    running = claims.claim(delivery.pk)
    assert running is not None
    assert claims.settle(paused, None, schedule=(10,), calls=[]) is None
    delivery.refresh_from_db()
    assert (delivery.state, delivery.claim_id) == ("running", running.claim_id)
    assert claims.settle(running, None, schedule=(10,), calls=[]) == "succeeded"


def test_lease_that_still_runs_is_not_taken_back(delivery: Delivery, noon) -> None:
    claims.claim(delivery.pk)
    delivery.refresh_from_db()
    noon.move_to(NOON + LEASE - timedelta(seconds=1))
    assert claims.take_back(delivery, datetime.now(UTC)) is None
    delivery.refresh_from_db()
    assert delivery.state == "running"
    assert not Attempt.objects.exists()


def test_delivery_that_kills_its_worker_each_time_ends_dead(delivery: Delivery, noon) -> None:
    for _ in range(4):
        assert claims.claim(delivery.pk) is not None
        noon.shift(LEASE)
        delivery.refresh_from_db()
        claims.take_back(delivery, datetime.now(UTC))
        delivery.refresh_from_db()
        noon.move_to(max(datetime.now(UTC), delivery.next_attempt_at))
    assert datetime.now(UTC) >= NOON + 4 * LEASE + timedelta(seconds=10 + 20 + 30), "with the schedule's delays between"
    assert (delivery.state, delivery.attempts, delivery.error_class) == ("dead", 4, "LeaseExpired")
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["lost"] * 4


def test_two_workers_that_read_the_same_row_cannot_both_claim_it(delivery: Delivery, monkeypatch) -> None:
    real, rivals = claims.claimable, []

    def claimed_by_a_rival_in_between(row: Delivery, now: datetime) -> claims.Claimable:
        if not rivals:
            rivals.append(row)
            rivals.append(claims.claim(delivery.pk))
        return real(row, now)

    monkeypatch.setattr(claims, "claimable", claimed_by_a_rival_in_between)
    assert claims.claim(delivery.pk) is None
    assert rivals[1] is not None
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.claim_id) == (1, rivals[1].claim_id)


def test_unknown_receiver_is_dead_with_the_reason(delivery: Delivery) -> None:
    Delivery.objects.update(receiver="my_shop.tasks.gone")
    assert deliver(delivery.pk.hex) == "dead"
    delivery.refresh_from_db()
    assert "alias" in delivery.error_text


def test_renamed_receiver_is_found_by_its_alias(delivery: Delivery) -> None:
    Delivery.objects.update(receiver=f"{r.HERE}.former_name")
    assert deliver(delivery.pk.hex) == "succeeded"
    assert len(r.calls) == 1


def test_connection_lost_while_the_receiver_ran_is_no_second_run(delivery: Delivery, monkeypatch) -> None:
    monkeypatch.setattr(claims, "connection", SimpleNamespace(in_atomic_block=False, close=lambda: None))
    with inserts_fail(Attempt, OperationalError(2013, "Lost connection")):
        assert deliver(delivery.pk.hex) == "succeeded"
    assert Attempt.objects.get().outcome == "succeeded"
    assert len(r.calls) == 1


class NoText(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "text"), [(GiveUp("\ud800 quoted"), "? quoted"), (NoText(), "The exception has no text.")]
)
def test_error_whose_text_cannot_be_stored_is_settled_all_the_same(delivery: Delivery, error, text: str) -> None:
    r.script.append(error)
    assert deliver(delivery.pk.hex) in ("dead", "pending")
    delivery.refresh_from_db()
    assert delivery.error_text == text


def test_receiver_that_ends_the_process_leaves_a_word(delivery: Delivery) -> None:
    r.script.append(SystemExit(1))
    with pytest.raises(SystemExit):
        deliver(delivery.pk.hex)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error_text) == ("pending", "The receiver raised SystemExit.")
