"""What went along each edge of the map in the last day, and how well: counted among the newest rows only.

Two statements, each along the key; what they bring is counted here. So a median needs no window function, which would
sort a table, and the cost is bounded by MOST_COUNTED, whatever the tables hold.
"""

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F, Func, IntegerField, OuterRef, Subquery, Value

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.ids import first_at

#: Rows of each table that are looked at, the newest ones.
MOST_COUNTED = 20_000

DAY = timedelta(days=1)

State = Delivery.State


@dataclasses.dataclass(kw_only=True)
class Sent:
    """Dispatches of a signal."""

    dispatches: int = 0
    unrouted: int = 0
    last_seen: datetime | None = None


@dataclasses.dataclass(kw_only=True)
class Delivered:
    """Deliveries of a signal to a receiver. waiting: not settled, and nothing has failed yet. retrying: something has.

    kind: of the receiver, as the rows have it. milliseconds: from creation until settled, of those that are.
    """

    kind: str = ""
    succeeded: int = 0
    dead: int = 0
    retrying: int = 0
    waiting: int = 0
    cancelled: int = 0
    last_seen: datetime | None = None
    milliseconds: list[int] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> int:
        return self.succeeded + self.dead + self.retrying + self.waiting + self.cancelled

    @property
    def failed(self) -> int:
        return self.dead + self.retrying

    @property
    def error_rate(self) -> float | None:
        """The share of those whose last try failed among all that were tried, 0 to 1; None where none was."""
        tried = self.succeeded + self.failed
        return self.failed / tried if tried else None

    @property
    def median(self) -> float | None:
        """Milliseconds; None where none is settled."""
        return statistics.median(self.milliseconds) if self.milliseconds else None

    def __add__(self, other: "Delivered") -> "Delivered":
        """Both together: what one receiver got of several signals."""
        seen = [at for at in (self.last_seen, other.last_seen) if at]
        return Delivered(
            kind=self.kind or other.kind,
            succeeded=self.succeeded + other.succeeded,
            dead=self.dead + other.dead,
            retrying=self.retrying + other.retrying,
            waiting=self.waiting + other.waiting,
            cancelled=self.cancelled + other.cancelled,
            last_seen=max(seen, default=None),
            milliseconds=self.milliseconds + other.milliseconds,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowStats:
    """routes: by (signal, receiver). sends: dispatches by (receiver or other sender, signal).

    since: from when on both tables were looked at whole. bounded: whether that is later than a day ago.
    """

    signals: Mapping[str, Sent]
    routes: Mapping[tuple[str, str], Delivered]
    sends: Mapping[tuple[str, str], int]
    since: datetime
    bounded: bool

    def of_receiver(self, path: str) -> Delivered:
        return sum((each for (_, receiver), each in self.routes.items() if receiver == path), Delivered())


class _Milliseconds(Func):
    """Whole milliseconds from the first moment to the second, reckoned by the database: rows then need no reading."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(ROUND((julianday(%(expressions)s)) * -86400000.0) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **extra)

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "TIMESTAMPDIFF(MICROSECOND, %(expressions)s) DIV 1000"
        return self.as_sql(compiler, connection, template=template, **extra)


def of_last_day(now: datetime) -> FlowStats:
    """What the newest rows say of the day before `now`."""
    dispatches, deliveries = _dispatches(now), _deliveries(now)
    oldest = [rows[-1][0] for rows in (dispatches, deliveries) if len(rows) == MOST_COUNTED]
    signals: dict[str, Sent] = defaultdict(Sent)
    sends: dict[tuple[str, str], int] = defaultdict(int)
    for age, signal, parent, sender, unrouted in dispatches:
        sent = signals[signal]
        sent.dispatches += 1
        sent.unrouted += bool(unrouted)
        sent.last_seen = sent.last_seen or _before(now, age)  # they come newest first
        sends[parent or sender, signal] += 1
    routes: dict[tuple[str, str], Delivered] = defaultdict(Delivered)
    for age, signal, receiver, kind, state, error, taken in deliveries:
        found = routes[signal or "", receiver]
        found.kind = found.kind or kind
        found.last_seen = found.last_seen or _before(now, age)
        _count(found, state, error, taken)
    return FlowStats(
        signals=dict(signals),
        routes=dict(routes),
        sends=dict(sends),
        since=_before(now, min(oldest)) if oldest else now - DAY,
        bounded=bool(oldest),
    )


def _dispatches(now: datetime) -> Sequence[tuple[Any, ...]]:
    """(age, signal, receiver whose delivery sent it or None, sender, whether unrouted), newest first."""
    # The parent may be older than a day; nor may a planner begin with its table, as it might with a join.
    parent = Subquery(Delivery.objects.filter(pk=OuterRef("parent_id")).values("receiver")[:1])
    rows = _newest(Dispatch, now).values_list("age", "signal", parent, "sender", "unrouted")
    return list(rows[:MOST_COUNTED])


def _deliveries(now: datetime) -> Sequence[tuple[Any, ...]]:
    """(age, signal, receiver, kind, state, error class, milliseconds until settled or None), newest first."""
    signal = Subquery(Dispatch.objects.filter(pk=OuterRef("dispatch_id")).values("signal")[:1])
    taken = _Milliseconds(F("created_at"), F("settled_at"))
    rows = _newest(Delivery, now).values_list("age", signal, "receiver", "kind", "state", "error_class", taken)
    return list(rows[:MOST_COUNTED])


def _newest(model: Any, now: datetime) -> Any:
    """The newest rows of a day, as a query to take columns from; `age` in milliseconds."""
    age = _Milliseconds(F("created_at"), Value(now, output_field=DateTimeField()))
    return model.objects.filter(pk__gte=first_at(now - DAY)).annotate(age=age).order_by("-pk")


def _count(found: Delivered, state: str, error: str, taken: int | None) -> None:
    """Add one delivery."""
    if state == State.SUCCEEDED:
        found.succeeded += 1
    elif state == State.DEAD:
        found.dead += 1
    elif state == State.CANCELLED:
        found.cancelled += 1
    elif error:
        found.retrying += 1
    else:
        found.waiting += 1
    if taken is not None and state in (State.SUCCEEDED, State.DEAD):
        found.milliseconds.append(taken)


def _before(now: datetime, milliseconds: int) -> datetime:
    return now - timedelta(milliseconds=milliseconds)
