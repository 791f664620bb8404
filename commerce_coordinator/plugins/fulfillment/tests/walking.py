"""Every order of what is open is walked: from each state each delivery is run next, in a savepoint that is undone
before the other one is. A state that was met before is not walked twice.
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

from ..models import Payment, Refund
from . import lms_of_a_test as lms

#: A refund waits for its capture; more tries than these lead nowhere new.
MOST_TRIES = 3


class Killed(BaseException):
    """The process dies here."""


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
        # Of those that wait for each other, each has its turn, as by the schedule.
        runnable = [each for each in waiting if each.attempts < MOST_TRIES] or sorted(waiting, key=_tries)[:1]
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
            (
                *(each.refund_id, each.took_back, each.whole, each.settled_at is None, each.sent_at is None),
                *(each.gave_back, each.failed_at is None, each.undone_at is None, each.refunded_at is None),
            )
            for each in Refund.objects.all()
        ]
        names = {str(pk): receiver for pk, receiver in Delivery.objects.values_list("pk", "receiver")}

        def told(rows: Any) -> list[str]:
            return sorted(str([names.get(str(value), value) for value in row]) for row in rows)

        return str((told(open_ones), told(sent), payments, refunds, sorted(lms.access)))


def _tries(delivery: Delivery) -> int:
    return delivery.attempts


def nothing_waits() -> None:
    assert not Delivery.objects.exclude(state="succeeded").exists()
    assert not Refund.objects.filter(sent_at=None, refunded_at__isnull=False).exists()
    assert not Refund.objects.filter(undone_at=None, failed_at__isnull=False).exists()
