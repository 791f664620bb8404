"""Recording a sending: one Dispatch, one Delivery per route, messages on commit."""

import dataclasses
import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.exceptions import SendingConfined
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.inserts import insert
from commerce_coordinator.core.telemetry.context import Span
from commerce_coordinator.core.transactions import atomically

from .models import Delivery, Dispatch
from .publish import publisher
from .receivers import task_of
from .retry import wake_gap
from .running import running_attempt
from .spans import describe_dispatch, dispatching, publishing

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route:
    """One signal-receiver pair of the map."""

    signal: str
    receiver: str
    kind: str
    function: Callable[..., Any]
    #: What the user wrote in the map resolves to; Django's `[(receiver, result)]` shows it.
    target: Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sending:
    """All that is known of a signal's sending before it is recorded."""

    signal: str
    routes: Sequence[Route]
    payload: Any
    values: dict[str, Any]
    sender: Any = None
    subject: str = ""
    person: str = ""
    dedupe_key: str | None = None
    event_id: uuid.UUID | None = None
    #: What another process sent through the API; else the process's own origin, and the attempt that runs here.
    origin: str = ""
    parent_id: uuid.UUID | None = None
    attempt_id: uuid.UUID | None = None
    map_hash: str = ""
    #: Nobody gets it, and somebody should.
    unrouted: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded:
    """A dispatch and its deliveries as stored. `new` is False when an earlier sending was found instead."""

    sending: Sending
    dispatch: Dispatch
    deliveries: Sequence[Delivery]
    new: bool

    def delivery_of(self, route: Route) -> Delivery | None:
        return next((d for d in self.deliveries if d.receiver == route.receiver), None)


def record(sending: Sending, *, look_first: bool | None = None) -> Recorded:
    """Write the sending, in the surrounding transaction or in one of its own; publish when it is committed.

    Returns what is there if this (signal, dedupe key) was sent before. Raises what the database raises: a sending that
    could not be written must not look as if it had been. In a surrounding transaction a race with the same sending
    raises IntegrityError, and the transaction's owner runs it again. Raises SendingConfined where CC_SIGNAL_ORIGINS
    does not let this process record.

    look_first: whether to look for an earlier sending before writing. By default only in a surrounding transaction,
    which an IntegrityError would spoil; an owner who is ready to run his again may save the statement.
    """
    if (sending.origin or settings.CC_ORIGIN) not in settings.CC_SIGNAL_ORIGINS:
        raise SendingConfined()
    attempt = running_attempt()
    recorded = _record(sending, look_first)
    if attempt and not sending.dedupe_key:
        # Lambdas, here and below: if one fails, Django asks for its name, which a partial has not, and fails itself.
        transaction.on_commit(lambda: attempt.note_sent(recorded.dispatch.dedupe_key), robust=True)
    return recorded


def _record(sending: Sending, look_first: bool | None) -> Recorded:
    dedupe_key = _dedupe_key(sending)
    if connection.in_atomic_block:
        found = _find(sending, dedupe_key) if dedupe_key and look_first is not False else None
        return found or _write(sending, dedupe_key)
    try:
        return atomically(lambda: _write(sending, dedupe_key))
    except IntegrityError:
        earlier = _find(sending, dedupe_key) if dedupe_key else None
        if earlier is None:
            raise
        return earlier


def sender_name(sender: Any) -> str:
    """How a sender is written in a row: the dotted path of a class, a function or an instance's class, or its text."""
    if sender is None:
        return ""
    if isinstance(sender, str):
        return sender[:255]
    if not hasattr(sender, "__qualname__"):
        sender = type(sender)
    return f"{sender.__module__}.{sender.__qualname__}"[:255]


def _dedupe_key(sending: Sending) -> str | None:
    attempt = running_attempt()
    if sending.dedupe_key or attempt is None:
        return sending.dedupe_key
    return attempt.dedupe_key(sending.signal, sending.payload)


def _find(sending: Sending, dedupe_key: str) -> Recorded | None:
    dispatch = Dispatch.objects.filter(signal=sending.signal, dedupe_key=dedupe_key).first()
    if dispatch is None:
        return None
    logger.info("Sent before; nothing added.", extra={"signal": sending.signal, "dispatch": str(dispatch.pk)})
    return Recorded(sending=sending, dispatch=dispatch, deliveries=list(dispatch.deliveries.all()), new=False)


def _write(sending: Sending, dedupe_key: str | None) -> Recorded:
    with dispatching(sending.signal) as step:
        recorded = _write_rows(sending, dedupe_key, step)
        describe_dispatch(step, recorded.dispatch, recorded.deliveries)
        return recorded


def _write_rows(sending: Sending, dedupe_key: str | None, step: Span) -> Recorded:
    now, attempt = timezone.now(), running_attempt()
    dispatch = Dispatch(
        signal=sending.signal,
        payload=sending.payload,
        sender=sender_name(sending.sender),
        subject=sending.subject[:128],
        person=sending.person[:64],
        origin=sending.origin or settings.CC_ORIGIN,
        event_id=sending.event_id,
        parent_id=attempt.delivery_id if attempt else sending.parent_id,
        attempt_id=attempt.attempt_id if attempt else sending.attempt_id,
        unrouted=sending.unrouted,
        map_hash=sending.map_hash,
        trace_id=step.trace_id,
        span_id=step.span_id,
        created_at=now,
    )
    dispatch.dedupe_key = dedupe_key or dispatch.pk.hex
    deliveries = [_delivery(dispatch, route, now) for route in sending.routes]
    insert(dispatch)
    if deliveries:
        insert(*deliveries)
    messages = [d for d in deliveries if d.kind == Delivery.Kind.TASK]
    if messages:
        transaction.on_commit(lambda: wake_workers(messages), robust=True)
    reached("dispatch.recorded", sending.signal)
    logger.info(
        "Signal recorded.",
        extra={"signal": sending.signal, "dispatch": str(dispatch.pk), "deliveries": len(deliveries)},
    )
    return Recorded(sending=sending, dispatch=dispatch, deliveries=deliveries, new=True)


def _delivery(dispatch: Dispatch, route: Route, now: Any) -> Delivery:
    delivery = Delivery(dispatch=dispatch, receiver=route.receiver, kind=route.kind, created_at=now)
    delivery.idempotency_key = delivery.pk.hex
    delivery.next_attempt_at = now
    if route.kind == Delivery.Kind.INLINE:
        # Claimed by the process that sends. Should it die, the relay finds the lease run out.
        delivery.state = Delivery.State.RUNNING
        delivery.attempts = 1
        delivery.claim_id = uuid7()
        delivery.claimed_at = now
        delivery.lease_until = delivery.wake_at = now + timedelta(seconds=settings.CC_LEASE_SECONDS)
    else:
        # We publish on commit, so the relay need not look at once, unless we know already that we won't.
        delivery.wake_at = (
            now if publisher.resting else now + timedelta(seconds=wake_gap(0, first=settings.CC_WAKE_GAP_SECONDS))
        )
    return delivery


def due_again(dispatch: Dispatch, route: Route) -> Delivery:
    """A delivery, not yet written, that an operator's act adds to a recorded dispatch: a worker runs it at once.

    Its generation is that of a first replay, so that an inline receiver among them is run by a worker, too.
    """
    now = timezone.now()
    delivery = Delivery(dispatch=dispatch, receiver=route.receiver, kind=route.kind, created_at=now, generation=1)
    delivery.idempotency_key = delivery.pk.hex
    delivery.next_attempt_at = delivery.wake_at = now
    return delivery


def wake_workers(deliveries: Sequence[Delivery]) -> None:
    """Publish the ids of committed deliveries. When the broker does not take them, the relay shall, at once."""
    reached("dispatch.committed", deliveries[0].dispatch.signal)
    with publishing(deliveries):
        taken = publisher.publish([(task_of(each), (each.pk.hex,)) for each in deliveries])
    left = [each.pk for each in deliveries[taken:]]
    if not left:
        return
    Delivery.objects.filter(pk__in=left, state=Delivery.State.PENDING, wakes=0).update(wake_at=timezone.now())
