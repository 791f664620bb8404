"""Refunded beats captured: whatever runs first, is tried again or dies half-way, the same access is left in the end.

Every order is walked: from each state each delivery that is open is run next, in a savepoint that is undone before the
other one is. A state that was met before is not walked twice.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from commerce_coordinator.core.deliveries import claims
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import assert_not_sent, assert_sent
from commerce_coordinator.payloads.orders import OrderLine

from ..models import Payment, Refund
from ..signals import order_placed, order_refunded, refund_needs_attention, revocation_requested
from . import lms_of_a_test as lms
from .purchases import LINES, pay, repay, routed, usd

pytestmark = [pytest.mark.django_db, pytest.mark.database]

COURSE = "b8a9d0c1-2f3e-4d5c-8b7a-6f5e4d3c2b1a"
RUN = LINES[0]
ENTITLEMENT = OrderLine(line_number=2, course_uuid=COURSE, mode="verified")

#: A refund waits for its capture; more tries than these lead nowhere new.
MOST_TRIES = 3


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True)
def _routed() -> Iterator[None]:
    own = lms.__name__
    with (
        routed(
            enrollment_requested=[f"{own}.enroll"],
            entitlement_requested=[f"{own}.grant"],
            revocation_requested=[f"{own}.put_out"],
        ),
        lms.routed_back(),
    ):
        yield


@contextlib.contextmanager
def undone() -> Iterator[None]:
    before = set(lms.access)
    sid = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(sid)
        lms.access.clear()
        lms.access.update(before)


def die_never() -> Any:
    return contextlib.nullcontext()


@contextlib.contextmanager
def die_before_the_first_sending() -> Iterator[None]:
    def die(self: Any, sender: Any, **values: Any) -> Any:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoordinatorSignal, "send_robust", die)
        patch.setattr(claims, "settle", lambda *_, **__: None)
        yield


@contextlib.contextmanager
def die_after_the_first_sending() -> Iterator[None]:
    real = CoordinatorSignal.send_robust

    def send_and_die(self: Any, sender: Any, **values: Any) -> Any:
        real(self, sender, **values)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CoordinatorSignal, "send_robust", send_and_die)
        patch.setattr(claims, "settle", lambda *_, **__: None)
        yield


@contextlib.contextmanager
def die_before_settling() -> Iterator[None]:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "settle", die)
        yield


DEATHS = (die_before_the_first_sending, die_after_the_first_sending, die_before_settling)


@dataclasses.dataclass
class Walk:
    """Every way from here to an end; `ended` is called at each."""

    ended: Any
    deaths: int = 0
    met: set[str] = dataclasses.field(default_factory=set)
    way: list[str] = dataclasses.field(default_factory=list)

    def go(self, deaths_left: int | None = None) -> None:
        left = self.deaths if deaths_left is None else deaths_left
        state = (*self._state(), left)
        if state in self.met:
            return
        self.met.add(state)
        waiting = list(Delivery.objects.filter(state="pending").order_by("id"))
        runnable = [each for each in waiting if each.attempts < MOST_TRIES] or waiting
        if not runnable:
            try:
                self.ended()
            except AssertionError as error:
                raise AssertionError(" -> ".join(self.way)) from error
        for delivery in runnable:
            for death in (die_never, *(DEATHS if left else ())):
                with undone():
                    self.way.append(f"{delivery.receiver.rpartition('.')[2]} {death.__name__}")
                    self._run(delivery, death)
                    self.go(left - (death is not die_never))
                    self.way.pop()

    def _run(self, delivery: Delivery, death: Any) -> None:
        Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
        with death(), contextlib.suppress(Killed):
            deliver(delivery.pk.hex)
        # What died is taken back when its lease runs out.
        Delivery.objects.filter(pk=delivery.pk, state="running").update(state="pending")

    def _state(self) -> str:
        """All that what comes next can depend on, but for times and keys."""
        open_ones = Delivery.objects.exclude(state="succeeded").values_list(
            "receiver", "dispatch__signal", "dispatch__payload__line_number", "dispatch__parent", "state", "attempts"
        )
        sent = Dispatch.objects.values_list("signal", "parent", "payload__line_number")
        payments = [
            (each.placed_order, each.amount, each.taken_back, each.placed_at is None, each.refunded_at is None)
            for each in Payment.objects.all()
        ]
        refunds = [
            (each.refund_id, each.took_back, each.whole, each.settled_at is None, each.sent_at is None)
            for each in Refund.objects.all()
        ]
        names = {str(pk): receiver for pk, receiver in Delivery.objects.values_list("pk", "receiver")}

        def told(rows: Any) -> list[str]:
            return sorted(str([names.get(str(value), value) for value in row]) for row in rows)

        return str((told(open_ones), told(sent), payments, refunds, sorted(lms.access)))


def nothing_waits() -> None:
    assert not Delivery.objects.exclude(state="succeeded").exists()
    assert not Refund.objects.filter(sent_at=None).exists()


def test_wholly_refunded_payment_leaves_no_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1, order_number="EDX-1")
        assert_not_sent(refund_needs_attention)
        assert Payment.objects.get().placed_order is None

    pay(lines=(RUN, ENTITLEMENT), money=usd(100))
    repay(money=usd(100))
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20


def test_wholly_refunded_payment_leaves_no_access_whoever_dies() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(100))
    walk = Walk(ended, deaths=1)
    walk.go()
    assert len(walk.met) > 50


def test_two_halves_that_go_back_leave_no_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(50))
    repay(money=usd(50), refund_id="re_2")
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20


@pytest.mark.parametrize("deaths", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_refund_of_one_line_leaves_the_other_whoever_dies(deaths: int) -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert_sent(order_placed, times=1)
        assert_not_sent(order_refunded)
        assert_not_sent(refund_needs_attention)

    pay(lines=(RUN, ENTITLEMENT), money=usd(100))
    repay(money=usd(40), refund_request_id="EDX-1:2")
    walk = Walk(ended, deaths=deaths)
    walk.go()
    assert len(walk.met) > 50


def test_part_that_nobody_asked_for_leaves_all_and_is_told_once() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert_sent(refund_needs_attention, times=1, order_number="EDX-1")
        assert_not_sent(revocation_requested)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(40))
    walk = Walk(ended, deaths=1)
    walk.go()
    assert len(walk.met) > 20
