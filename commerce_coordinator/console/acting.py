"""What an operator can do with a delivery, a dispatch or an event: replay it, or set it aside.

`plan` says beforehand what a replay would do; `replay` and `set_aside` do it and say what came of it.
"""

import dataclasses
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from commerce_coordinator.core.deliveries import replay as deliveries
from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.exceptions import CoordinatorError, NotReplayable
from commerce_coordinator.core.inbox import replay as events
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals import rerouting
from commerce_coordinator.core.signals.graph import short

Row = Delivery | Dispatch | InboxEvent


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a replay would do with one row. act: "again", "force", or "" for nothing. seen: what must not change."""

    row: Row
    about: str
    says: str
    act: str = ""
    seen: str = ""

    @property
    def value(self) -> str:
        """What a form carries of it."""
        return f"{self.row.pk}:{self.seen}"


def rows(keys: Iterable[uuid.UUID]) -> list[Row]:
    """The rows with these keys, of all three kinds, oldest first, so that they become due as they once were."""
    wanted = list(keys)
    found: list[Row] = [
        *Delivery.objects.filter(pk__in=wanted).prefetch_related("dispatch"),
        *Dispatch.objects.filter(pk__in=wanted),
        *InboxEvent.objects.filter(pk__in=wanted).defer("raw_body"),
    ]
    return sorted(found, key=lambda row: row.pk)


def named(reference: str) -> Row:
    """The row of this id, or the event with this id of its provider's. Raises CoordinatorError where there is none."""
    try:
        key: uuid.UUID | None = uuid.UUID(reference)
    except ValueError:
        key = None
    for row in rows([key]) if key else ():
        return row
    # An event id is unique within one account only: of several, the one that failed is meant.
    events_of_it = list(InboxEvent.objects.filter(event_id=reference).defer("raw_body"))
    failed = next((each for each in events_of_it if each.state == InboxEvent.State.FAILED), None)
    if failed is None and not events_of_it:
        raise CoordinatorError(
            "No delivery, dispatch or event has this id. `manage.py deliveries --state dead` lists ids, and so does "
            "`manage.py replay --filter since=7d --dry-run`."
        )
    return failed or events_of_it[0]


# --- What a replay would do ---


def plan(row: Row) -> Plan:
    """Decide from the row alone (and from a delivery's dispatch)."""
    decide: Callable[[Any], Plan] = _by_kind(row, _plan_delivery, _plan_dispatch, _plan_event)
    return decide(row)


def _plan_delivery(row: Delivery) -> Plan:
    about, seen = f"{row.receiver} for {row.dispatch.subject or row.dispatch.signal}", str(row.generation)
    if row.state in (Delivery.State.PENDING, Delivery.State.RUNNING):
        return Plan(row=row, about=about, says=f"It is {row.state}: it runs by itself.")
    try:
        deliveries.refuse_unless_replayable(row, force=True)
    except NotReplayable as refusal:
        return Plan(row=row, about=about, says=str(refusal))
    if row.state == Delivery.State.SUCCEEDED:
        at = f" at {row.settled_at:%Y-%m-%d %H:%M:%S} UTC" if row.settled_at else ""
        says = (
            f"It succeeded{at}. By force it runs again under a new idempotency key: what it did is done a second time."
        )
        return Plan(row=row, about=about, act="force", seen=seen, says=says)
    says = (
        f"It is {row.state}{f' ({row.error_class})' if row.error_class else ''}. It runs again with the same payload "
        "and a fresh budget of tries. It keeps its idempotency key, so that what an earlier try did is not done twice "
        "where the far side can tell."
    )
    return Plan(row=row, about=about, act="again", seen=seen, says=says)


def _plan_dispatch(row: Dispatch) -> Plan:
    about = f"{row.signal} {row.subject}".strip()
    try:
        signal = rerouting.refuse_unless_routable(row)
    except NotReplayable as refusal:
        return Plan(row=row, about=about, says=str(refusal))
    receivers = ", ".join(short(route.receiver) for route in signal.routes)
    return Plan(
        row=row,
        about=about,
        act="again",
        says=f"Nobody received it. It is routed by the map of today, which gives it to {receivers}.",
    )


def _plan_event(row: InboxEvent) -> Plan:
    about = f"{row.provider} {row.event_type} {row.event_id}"
    try:
        events.refuse_unless_replayable(row)
    except NotReplayable as refusal:
        return Plan(row=row, about=about, says=str(refusal))
    says = (
        f"It is read again from its stored bytes, by the code and the settings of today. "
        f"It is {row.state} because of: {row.reason or 'no reason given.'}"
    )
    return Plan(row=row, about=about, act="again", says=says)


# --- The deeds ---


def replay(row: Row, *, by: By, force: bool = False) -> str:
    """Run, route or read it again; says what came of it. Raises NotReplayable, with the reason, and what a database
    raises. force: also a delivery that succeeded.
    """
    if isinstance(row, Delivery):
        again = deliveries.replay(row, force=force, by=by)
        about = row.dispatch.subject or row.dispatch.signal
        return f"{short(row.receiver)} for {about} is due again, as replay {again.generation}."
    if isinstance(row, Dispatch):
        routed = rerouting.route_again(row, by=by)
        return f"{short(row.signal)} {row.subject} is routed to {', '.join(short(each.receiver) for each in routed)}."
    event = events.replay_event(row, by=by)
    return f"{event.event_id} is {event.state} now.{f' {event.reason}' if event.reason else ''}"


def set_aside(row: Row, *, by: By) -> str:
    """Nothing more shall come of it; says what it is now. Raises NotReplayable where it is no dead letter."""
    if isinstance(row, Delivery):
        deliveries.set_aside(row, by=by)
        return f"{short(row.receiver)} for {row.dispatch.subject or row.dispatch.signal} is set aside: it is cancelled."
    if isinstance(row, Dispatch):
        rerouting.set_aside(row, by=by)
        return f"{short(row.signal)} {row.subject} is set aside: it stays without a receiver."
    events.set_aside(row, by=by)
    return f"{row.event_id} is set aside: it is ignored now."


def can_be_set_aside(row: Row) -> bool:
    """Is it a dead letter?"""
    if isinstance(row, Delivery):
        return row.state == Delivery.State.DEAD
    return row.unrouted if isinstance(row, Dispatch) else row.state == InboxEvent.State.FAILED


def kind_of(row: Row) -> str:
    """`delivery`, `dispatch` or `event`."""
    found: str = _by_kind(row, "delivery", "dispatch", "event")
    return found


def _by_kind(row: Row, delivery: Any, dispatch: Any, event: Any) -> Any:
    return delivery if isinstance(row, Delivery) else dispatch if isinstance(row, Dispatch) else event
