"""The dead letters: dead deliveries, failed events and unrouted dispatches, as one list, newest first.

Each kind is read along its own index, and the three are merged by their keys, in which their time stands. So a page
takes as many statements on a huge record as on a small one. Where a filter has no index, only the newest MOST_WALKED
dead letters of a kind are looked at.
"""

import dataclasses
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Model, Prefetch, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.ids import first_at
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals.graph import short

from . import receiver_names
from .acting import Row, kind_of
from .indexes import along_index, off_index

#: Dead letters of one kind that a filter without an index looks at, the newest ones.
MOST_WALKED = 5_000

#: Dead letters that are counted by what and why, the newest ones.
MOST_COUNTED = 2_000

KINDS = ("delivery", "event", "dispatch")

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class WrongFilter(CoordinatorError):
    """This filter cannot be read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filter:
    """Which dead letters are meant. Empty: all. Times are those at which they came in.

    kind: one of KINDS. receiver, signal: dotted paths. error: the class's name. ended_by: only what had ended by then
    (what a page showed, and nothing that died since). An event and a dispatch end as they come in.
    """

    kind: str = ""
    provider: str = ""
    signal: str = ""
    receiver: str = ""
    error: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    ended_by: datetime | None = None

    @classmethod
    def read(cls, told: Mapping[str, str]) -> "Filter":
        """From texts by name, as commands, pages and the API get them; empty ones count for nothing.

        A receiver or a signal may be named by its short name. Raises WrongFilter, which names the text and what would
        be right.
        """
        told = {name: text.strip() for name, text in told.items() if text.strip()}
        unknown = sorted(set(told) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            names = ", ".join(field.name for field in dataclasses.fields(cls) if field.name != "ended_by")
            raise WrongFilter(f"There is no filter {unknown[0]!r}. There are: {names}.")
        found: dict[str, Any] = dict(told)
        if told.get("kind", KINDS[0]) not in KINDS:
            raise WrongFilter(f"kind is {told['kind']!r}; it must be one of {', '.join(KINDS)}.")
        for name in ("since", "until", "ended_by"):
            if name in told:
                found[name] = moment(name, told[name])
        if "receiver" in told:
            found["receiver"] = receiver_names.path_of(told["receiver"])
        if "signal" in told:
            found["signal"] = receiver_names.signal_path_of(told["signal"])
        return cls(**found)

    def as_text(self) -> dict[str, str]:
        """What `read` takes: the fields that are set."""
        told = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for name, value in told.items()
            if value
        }


#: What `Filter.read` knows.
NAMES = tuple(field.name for field in dataclasses.fields(Filter))


def find(wanted: Filter, *, before: uuid.UUID | None = None, limit: int) -> list[Row]:
    """At most `limit`, newest first, older than `before`. Deliveries come with their dispatch."""
    found: list[Row] = []
    for rows in (_deliveries(wanted, before), _events(wanted, before), _dispatches(wanted, before)):
        found += rows[:limit] if rows is not None else []
    return sorted(found, key=lambda row: row.pk, reverse=True)[:limit]


def every(wanted: Filter, *, batch: int = 500) -> Iterator[Row]:
    """All of them, newest first, read in batches as they are taken."""
    before: uuid.UUID | None = None
    while rows := find(wanted, before=before, limit=batch):
        yield from rows
        before = rows[-1].pk


#: What dead letters are counted by: (kind, receiver, signal or event type, error class or reason).
Group = tuple[str, str, str]


def group_of(row: Row) -> Group:
    kind = kind_of(row)
    return _group(kind, *(getattr(row, column) for column in _GROUPED_BY[kind]))


def counted(wanted: Filter) -> tuple[Counter[Group], bool]:
    """How many there are of each group, among the newest MOST_COUNTED; and whether there are more.

    Reads no more of the rows than it counts by: there may be thousands.
    """
    found: list[tuple[uuid.UUID, Group]] = []
    kinds = (("delivery", _deliveries), ("event", _events), ("dispatch", _dispatches))
    for kind, select in kinds:
        rows = select(wanted, None)
        if rows is not None:
            columns = rows.prefetch_related(None).values_list("pk", *_GROUPED_BY[kind])
            found += [(key, (kind, *values)) for key, *values in columns[: MOST_COUNTED + 1]]
    found.sort(reverse=True)
    counts = Counter(each for _, each in found[:MOST_COUNTED])
    named: Counter[Group] = Counter()
    for (kind, *values), count in counts.items():
        named[_group(kind, *values)] += count
    return named, len(found) > MOST_COUNTED


_GROUPED_BY = {
    "delivery": ("receiver", "error_class"),
    "dispatch": ("signal",),
    "event": ("provider", "event_type", "reason"),
}


def _group(kind: str, *values: str) -> Group:
    if kind == "event":
        provider, event_type, reason = values
        return kind, f"{provider} {event_type}", reason
    return kind, short(values[0]), "".join(values[1:])


# --- One kind each, newest first; None: the filter can mean none of it ---


def _deliveries(wanted: Filter, before: uuid.UUID | None) -> QuerySet[Delivery] | None:
    if wanted.kind not in ("", "delivery") or wanted.provider:
        return None
    rows = _all_with(Delivery, "state", Delivery.State.DEAD)
    if wanted.subject:
        keys = Dispatch.objects.filter(subject=wanted.subject).values_list("pk", flat=True)
        # By the dispatch's index: the state's would be walked for each.
        dead = off_index("state", Delivery.State.DEAD)
        rows = Delivery.objects.filter(dead, dispatch__in=list(keys[:MOST_WALKED])).order_by("-pk")
    elif wanted.receiver or wanted.error or wanted.signal:
        rows = _newest(rows)
    if wanted.receiver:
        rows = rows.filter(off_index("receiver", wanted.receiver))
    if wanted.error:
        rows = rows.filter(error_class=wanted.error)
    if wanted.signal:
        rows = rows.filter(off_index("dispatch__signal", wanted.signal))
    if wanted.ended_by:
        rows = rows.filter(settled_at__lte=wanted.ended_by)
    dispatches = Dispatch.objects.only("signal", "subject", "payload")
    return _between(rows, wanted, before).defer("error_text").prefetch_related(Prefetch("dispatch", dispatches))


def _events(wanted: Filter, before: uuid.UUID | None) -> QuerySet[InboxEvent] | None:
    if wanted.kind not in ("", "event") or wanted.signal or wanted.receiver or wanted.error or wanted.subject:
        return None
    rows = _all_with(InboxEvent, "state", InboxEvent.State.FAILED).defer("raw_body")
    if wanted.provider:
        rows = _newest(rows).filter(off_index("provider", wanted.provider))
    return _between(_come_by(rows, wanted), wanted, before)


def _dispatches(wanted: Filter, before: uuid.UUID | None) -> QuerySet[Dispatch] | None:
    if wanted.kind not in ("", "dispatch") or wanted.receiver or wanted.error or wanted.provider:
        return None
    rows = _all_with(Dispatch, "unrouted", True)
    if wanted.subject:
        rows = Dispatch.objects.filter(unrouted__in=[True], subject=wanted.subject).order_by("-pk")
    elif wanted.signal:
        rows = _newest(rows)
    if wanted.signal:
        rows = rows.filter(off_index("signal", wanted.signal))
    return _between(_come_by(rows, wanted), wanted, before)


def _all_with(model: type[Model], column: str, value: Any) -> QuerySet[Any]:
    """The rows with this value, newest first, by the index of column and key: from whatever key on, none before it."""
    return model._default_manager.filter(along_index(column, value)).order_by(f"-{column}", "-pk")


def _come_by(rows: QuerySet[Any], wanted: Filter) -> QuerySet[Any]:
    """Of what a page showed, to the millisecond that keys have."""
    return rows.filter(pk__lt=first_at(wanted.ended_by + timedelta(milliseconds=1))) if wanted.ended_by else rows


def _newest(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Only the newest MOST_WALKED of them."""
    keys = rows.values_list("pk", flat=True)
    for oldest in keys[MOST_WALKED - 1 : MOST_WALKED]:
        return rows.filter(pk__gte=oldest)
    return rows


def _between(rows: QuerySet[Any], wanted: Filter, before: uuid.UUID | None) -> QuerySet[Any]:
    if wanted.since:
        rows = rows.filter(pk__gte=first_at(wanted.since))
    if wanted.until:
        rows = rows.filter(pk__lt=first_at(wanted.until))
    return rows.filter(pk__lt=before) if before else rows


def moment(name: str, text: str) -> datetime:
    """`2h` ago, or a time of ISO 8601; UTC where it names no zone. Raises WrongFilter, which names both."""
    age = _AGE.fullmatch(text)
    try:
        found = timezone.now() - timedelta(**{_UNITS[age[2]]: int(age[1])}) if age else parse_datetime(text)
        if found is not None:
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # no such day, or one before or after all that a calendar knows
    raise WrongFilter(
        f"{name} is {text!r}; it must be an age such as 90m, 24h or 7d, or a time such as 2026-01-31T02:00."
    )
