"""Whose delivery is it: claim, settle, take back. Each step is one conditional UPDATE that works on every database.

Every UPDATE names what it expects in its WHERE, so of two that race one changes nothing. Times are this machine's UTC
clock; leases are long against the drift of clocks kept by NTP.
"""

import dataclasses
import enum
import logging
import os
import socket
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.inserts import insert
from commerce_coordinator.core.transactions import again_after_deadlock, atomically

from .models import Attempt, Delivery
from .receivers import UnknownReceiver, resolve, schedule_of
from .retry import GiveUp, Retry, max_attempts, next_delay

logger = logging.getLogger(__name__)

LONGEST_ERROR_TEXT = 8000

State = Delivery.State


class Claimable(enum.Enum):
    """What a worker may do with a delivery that a message told it of."""

    YES = "due and free"
    SETTLED = "settled already"
    EARLY = "not due yet"
    HELD = "another worker holds the lease"
    EXPIRED = "its lease ran out; take it back first"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claim:
    """A delivery that is ours until the lease ends."""

    delivery: Delivery
    claim_id: uuid.UUID
    claimed_at: datetime
    worker: str


def claimable(delivery: Delivery, now: datetime) -> Claimable:
    """Decide from the row alone."""
    if delivery.state == State.PENDING:
        return Claimable.YES if delivery.next_attempt_at <= now else Claimable.EARLY
    if delivery.state == State.RUNNING:
        expired = delivery.lease_until is not None and delivery.lease_until <= now
        return Claimable.EXPIRED if expired else Claimable.HELD
    return Claimable.SETTLED


def worker_name() -> str:
    """host:pid of the process that runs an attempt."""
    return f"{socket.gethostname()}:{os.getpid()}"[:128]


def claim(delivery_id: uuid.UUID) -> Claim | None:
    """Lease the delivery for CC_LEASE_SECONDS and count the attempt. None: not due, not free, or not there."""
    # Not `first()`: it would order by the key, and putting that together takes as long as all the rest.
    delivery = next(iter(Delivery.objects.select_related("dispatch").filter(pk=delivery_id)), None)
    now = timezone.now()
    if delivery is None:
        logger.warning("A message names a delivery that is not there.", extra={"delivery": str(delivery_id)})
        return None
    verdict = claimable(delivery, now)
    if verdict is Claimable.EXPIRED and take_back(delivery, now) == State.PENDING:
        delivery.refresh_from_db()
        verdict = claimable(delivery, now)
    if verdict is not Claimable.YES:
        logger.debug("Message dropped.", extra={"delivery": str(delivery_id), "why": verdict.value})
        return None
    claimed = Claim(delivery=delivery, claim_id=uuid7(), claimed_at=now, worker=worker_name())
    lease_until = now + timedelta(seconds=settings.CC_LEASE_SECONDS)
    free = Delivery.objects.filter(
        pk=delivery.pk, state=State.PENDING, generation=delivery.generation, attempts=delivery.attempts
    )
    claim_it = partial(
        free.update,
        state=State.RUNNING,
        attempts=delivery.attempts + 1,
        claim_id=claimed.claim_id,
        claimed_at=now,
        worker=claimed.worker,
        lease_until=lease_until,
        wake_at=lease_until,
        wakes=0,
    )
    if not again_after_deadlock(claim_it):
        logger.debug("Message dropped.", extra={"delivery": str(delivery_id), "why": "claimed by another just now"})
        return None
    delivery.attempts += 1
    reached("delivery.claimed", delivery.receiver)
    return claimed


def settle(
    claimed: Claim,
    error: BaseException | None,
    *,
    schedule: Sequence[float],
    calls: list[dict[str, Any]],
    span_id: str = "",
) -> str | None:
    """Write how the attempt ended. Returns the delivery's new state.

    None when the lease is no longer ours (we were paused past its end): another has the delivery now, and what we
    think of it counts for nothing.
    """
    now = timezone.now()
    delivery = claimed.delivery
    reached("delivery.ran", delivery.receiver)
    changes = _after(error, delivery.attempts, schedule, now)
    attempt = _attempt(delivery, claimed.claim_id, changes, now, outcome=_outcome(changes["state"]))
    attempt.worker, attempt.started_at = claimed.worker, claimed.claimed_at
    attempt.calls, attempt.span_id = calls, span_id
    write = partial(_write_end, delivery, changes, attempt, claim_id=claimed.claim_id)
    try:
        ours = write()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        # The connection was lost while the receiver ran: without another try it would run a second time. If it was
        # lost in the very COMMIT, the attempt's row is there.
        connection.close()
        ours = write() or Attempt.objects.filter(pk=attempt.pk).exclude(outcome=Attempt.Outcome.LOST).exists()
    if not ours:
        logger.warning("Not settled: the lease ran out and is another's.", extra={"delivery": str(delivery.pk)})
        return None
    reached("delivery.settled", delivery.receiver)
    log = logger.error if changes["state"] == State.DEAD else logger.info
    log(
        "Delivery settled.",
        extra={
            "delivery": str(delivery.pk),
            "receiver": delivery.receiver,
            "state": str(changes["state"]),
            "attempt": delivery.attempts,
            "error_class": changes["error_class"],
        },
    )
    state: str = changes["state"]
    return state


def take_back(delivery: Delivery, now: datetime) -> str | None:
    """End an expired lease: the attempt is lost, the delivery due again, or dead when its attempts are spent.

    An inline receiver is never run again by itself, so it is dead at once (and can be replayed). Returns the new
    state; None when the lease changed hands in between.
    """
    try:
        schedule = schedule_of(resolve(delivery.receiver, delivery.kind))
    except UnknownReceiver:
        schedule = schedule_of(None)
    inline = delivery.kind == Delivery.Kind.INLINE and delivery.generation == 0
    spent = inline or delivery.attempts >= max_attempts(schedule)
    text = (
        "The process died before the receiver's end was written down."
        if inline
        else "The lease ran out: the worker died, hung or was paused."
    )
    # By the schedule, as any other failure: what kills its worker each time would be dead within minutes otherwise.
    delay = None if spent else next_delay(attempt=delivery.attempts, schedule=schedule)
    changes = dict(
        _ended(State.DEAD, now) if delay is None else _due(now + timedelta(seconds=delay)),
        error_class="LeaseExpired",
        error_text=text,
    )

    attempt = None
    if delivery.claim_id and not inline:
        attempt = _attempt(delivery, delivery.claim_id, changes, now, outcome=Attempt.Outcome.LOST)
    if not _write_end(delivery, changes, attempt, claim_id=delivery.claim_id, lease_until__lte=now):
        return None
    state: str = changes["state"]
    logger.warning(
        "Lease ran out.",
        extra={"delivery": str(delivery.pk), "receiver": delivery.receiver, "state": str(state)},
    )
    return state


def bury(delivery: Delivery, *, error_class: str, error_text: str, now: datetime) -> bool:
    """Make a pending delivery dead without an attempt. False when it changed in between."""
    return bool(
        Delivery.objects.filter(pk=delivery.pk, state=State.PENDING, generation=delivery.generation).update(
            **_ended(State.DEAD, now), error_class=error_class, error_text=error_text
        )
    )


def error_class_of(error: BaseException) -> str:
    return type(error).__name__[:128]


def error_text_of(error: BaseException) -> str:
    """Its text, as far as it has one that can be stored: whatever it is, the attempt must be settled."""
    try:
        text = str(error)
    except Exception:
        return "The exception has no text."
    return text.encode("utf-8", "replace").decode()[:LONGEST_ERROR_TEXT]


def _attempt(delivery: Delivery, key: uuid.UUID, changes: dict[str, Any], now: datetime, *, outcome: str) -> Attempt:
    """The row of the try that ends now; worker and start as the delivery's row has them."""
    return Attempt(
        pk=key,
        delivery=delivery,
        generation=delivery.generation,
        number=delivery.attempts,
        outcome=outcome,
        worker=delivery.worker,
        error_class=changes["error_class"],
        error_text=changes["error_text"],
        started_at=delivery.claimed_at or now,
        ended_at=now,
    )


def _write_end(delivery: Delivery, changes: dict[str, Any], attempt: Attempt | None, **expected: Any) -> bool:
    """Delivery and attempt in one transaction. False, and nothing written, when the row is not as expected."""

    def write() -> bool:
        ours = Delivery.objects.filter(pk=delivery.pk, state=State.RUNNING, **expected).update(**changes)
        if ours and attempt is not None:
            insert(attempt)
        return bool(ours)

    return atomically(write)


def _after(error: BaseException | None, attempts: int, schedule: Sequence[float], now: datetime) -> dict[str, Any]:
    if error is None:
        return dict(_ended(State.SUCCEEDED, now), error_class="", error_text="")
    after = error.after if isinstance(error, Retry) else None
    delay = None if isinstance(error, GiveUp) else next_delay(attempt=attempts, schedule=schedule, after=after)
    changes = _ended(State.DEAD, now) if delay is None else _due(now + timedelta(seconds=delay))
    return dict(changes, error_class=error_class_of(error), error_text=error_text_of(error))


def _outcome(state: str) -> str:
    outcomes: dict[str, str] = {
        State.SUCCEEDED: Attempt.Outcome.SUCCEEDED,
        State.DEAD: Attempt.Outcome.DEAD,
        State.PENDING: Attempt.Outcome.RETRY,
    }
    return outcomes[state]


def _ended(state: str, now: datetime) -> dict[str, Any]:
    return {"state": state, "settled_at": now, "wake_at": None, "lease_until": None}


def _due(at: datetime) -> dict[str, Any]:
    return {"state": State.PENDING, "next_attempt_at": at, "wake_at": at, "wakes": 0, "lease_until": None}
