"""From a payment to an order to one request per line: each once, in order, whatever dies on the way."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.deliveries import claims
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import DirectCallRefused, GiveUp, Retry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, run_deliveries, sent
from commerce_coordinator.payloads.orders import OrderLine

from ..signals import enrollment_requested, entitlement_requested, order_placed
from ..tasks import place_order, request_enrollments, take_back_order
from .purchases import LINES, NOON, ORDER, pay

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("routed")]


class Killed(BaseException):
    """The process dies here: nothing below it is written any more."""


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def requested() -> list[tuple[int, str, str]]:
    return [(each["line_number"], each["course_key"], each["mode"]) for each in sent(enrollment_requested)]


EVERY_LINE_ONCE = [(line.line_number, line.course_key, line.mode) for line in LINES]


def test_payment_becomes_one_order_with_the_same_values() -> None:
    delivery = pay()
    run_deliveries()
    assert_sent(order_placed, times=1, **ORDER)
    order, payment = Dispatch.objects.get(signal=order_placed.name), delivery.dispatch
    assert (order.parent_id, order.trace_id) == (delivery.pk, payment.trace_id)
    assert (order.subject, order.person) == ("EDX-1", "1313")
    assert order.sender.endswith("fulfillment.tasks.place_order")


def test_every_delivery_on_the_way_succeeds_at_its_first_try() -> None:
    pay()
    assert [(each.state, each.attempts) for each in run_deliveries()] == [("succeeded", 1)] * 2


def test_payment_told_of_twice_becomes_one_order() -> None:
    first, second = pay(), pay()
    assert first.pk == second.pk
    run_deliveries()
    assert_sent(order_placed, times=1)
    assert requested() == EVERY_LINE_ONCE


def test_same_payment_id_at_two_accounts_is_two_payments() -> None:
    place_order(**ORDER)
    place_order(**{**ORDER, "account": "other", "order_number": "EDX-2"})
    assert_sent(order_placed, times=2)


def test_line_with_a_courses_uuid_becomes_an_entitlement() -> None:
    course = "b8a9d0c1-2f3e-4d5c-8b7a-6f5e4d3c2b1a"
    pay(lines=(LINES[0], OrderLine(line_number=2, course_uuid=course, mode="verified")))
    run_deliveries()
    assert [line_number for line_number, _, _ in requested()] == [1]
    assert_sent(
        entitlement_requested,
        times=1,
        order_number="EDX-1",
        line_number=2,
        lms_user_id=1313,
        username="ann",
        course_uuid=course,
        mode="verified",
    )


def test_credit_provider_of_a_line_is_told() -> None:
    pay(lines=(OrderLine(line_number=1, course_key="course-v1:X+C+1", mode="credit", credit_provider="campus"),))
    run_deliveries()
    assert_sent(enrollment_requested, times=1, mode="credit", credit_provider="campus")


def test_each_line_becomes_a_request_in_the_orders_own_order() -> None:
    pay()
    run_deliveries()
    assert requested() == EVERY_LINE_ONCE
    assert_sent(enrollment_requested, times=3, order_number="EDX-1", lms_user_id=1313, username="ann")
    parents = set(Dispatch.objects.filter(signal=enrollment_requested.name).values_list("parent__receiver", flat=True))
    assert parents == {f"{place_order.__module__}.request_enrollments"}


def test_same_course_in_two_lines_is_two_requests() -> None:
    twice = tuple(OrderLine(line_number=number, course_key="course-v1:X+A+1", mode="audit") for number in (1, 2))
    pay(lines=twice)
    run_deliveries()
    assert [line_number for line_number, _, _ in requested()] == [1, 2]


def test_requests_carry_no_address_that_the_lms_needs_not() -> None:
    pay()
    run_deliveries()
    assert "ann@example.com" not in str(sent(enrollment_requested))


def test_no_sending_is_undeclared(caplog) -> None:
    pay()
    run_deliveries()
    assert not [line for line in caplog.records if "does not declare" in line.getMessage()]


# --- What dies on the way ---


def fail_once(monkeypatch: pytest.MonkeyPatch, signal: CoordinatorSignal, *, at: int, error: BaseException) -> None:
    """The `at`-th of the sendings to come fails: negative, before anything is written; positive, after it is."""
    real, left = signal.send_robust, [abs(at)]

    def send(sender: Any, **values: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and at < 0:
            raise error
        result = real(sender, **values)
        if left[0] == 0:
            raise error
        return result

    monkeypatch.setattr(signal, "send_robust", send)


POINTS = [-1, 1, -2, 2, -3, 3]


@pytest.mark.parametrize("at", POINTS)
@pytest.mark.parametrize("error", [RuntimeError("broke"), Retry("may pass")], ids=["RuntimeError", "Retry"])
def test_retried_request_asks_for_the_rest_alone(monkeypatch, clock, at: int, error: Exception) -> None:
    fail_once(monkeypatch, enrollment_requested, at=at, error=error)
    pay()
    [_, failed] = run_deliveries()
    assert (failed.state, len(requested())) == ("pending", abs(at) - (at < 0))
    clock.shift(timedelta(minutes=1))
    [retried] = run_deliveries()
    assert (retried.pk, retried.state) == (failed.pk, "succeeded")
    assert requested() == EVERY_LINE_ONCE


@pytest.mark.parametrize("at", POINTS)
def test_replayed_request_asks_for_the_rest_alone(monkeypatch, at: int) -> None:
    fail_once(monkeypatch, enrollment_requested, at=at, error=GiveUp("will not heal"))
    pay()
    [_, dead] = run_deliveries()
    assert dead.state == "dead"
    replay(dead)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert requested() == EVERY_LINE_ONCE


@pytest.mark.parametrize("at", POINTS)
def test_request_that_was_killed_asks_for_the_rest_alone(monkeypatch, clock, at: int) -> None:
    fail_once(monkeypatch, enrollment_requested, at=at, error=Killed())
    pay()
    with pytest.raises(Killed):
        run_deliveries()
    clock.shift(timedelta(hours=1))
    abandoned = Delivery.objects.get(state="pending", attempts=1)
    assert deliver(abandoned.pk.hex) == "succeeded"
    assert requested() == EVERY_LINE_ONCE
    outcomes = Attempt.objects.filter(delivery=abandoned).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["retry", "succeeded"]


@pytest.mark.parametrize("at", [-1, 1])
def test_place_order_that_was_killed_places_one_order(monkeypatch, clock, at: int) -> None:
    fail_once(monkeypatch, order_placed, at=at, error=Killed())
    delivery = pay()
    with pytest.raises(Killed):
        run_deliveries()
    clock.shift(timedelta(hours=1))
    assert deliver(delivery.pk.hex) == "succeeded"
    run_deliveries()
    assert_sent(order_placed, times=1, **ORDER)
    assert requested() == EVERY_LINE_ONCE


def test_place_order_that_was_killed_before_it_settled_places_one_order(monkeypatch, clock) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    delivery = pay()
    with monkeypatch.context() as dying:
        dying.setattr(claims, "settle", die)
        with pytest.raises(Killed):
            deliver(delivery.pk.hex)
    assert_sent(order_placed, times=1)
    clock.shift(timedelta(hours=1))
    assert deliver(delivery.pk.hex) is None, "taken back; due by the schedule"
    clock.shift(timedelta(minutes=1))
    assert deliver(delivery.pk.hex) == "succeeded"
    assert_sent(order_placed, times=1)


def test_forced_replay_of_an_order_places_no_second_one() -> None:
    delivery = pay()
    run_deliveries()
    delivery.refresh_from_db()
    replay(delivery, force=True)
    run_deliveries()
    assert_sent(order_placed, times=1)
    assert requested() == EVERY_LINE_ONCE


# --- As plain functions ---


def test_place_order_is_a_plain_function_too() -> None:
    assert place_order(**ORDER) is None
    assert_sent(order_placed, times=1, **ORDER)
    assert Dispatch.objects.get().parent_id is None


def test_request_enrollments_is_a_plain_function_too() -> None:
    assert request_enrollments(order_number="EDX-1", lms_user_id=1313, username="ann", lines=LINES) is None
    assert requested() == EVERY_LINE_ONCE


def test_order_without_lines_asks_for_nothing() -> None:
    request_enrollments(order_number="EDX-1", lms_user_id=1313, username="ann", lines=())
    assert_not_sent(enrollment_requested)


@pytest.mark.parametrize("task", [place_order, request_enrollments, take_back_order])
def test_tasks_are_started_by_signals_alone(task: Any) -> None:
    with pytest.raises(DirectCallRefused, match=r"fulfillment\.tasks"):
        task.delay(**ORDER)
