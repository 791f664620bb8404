"""The admin's first page: what came in, is in flight, is dead; whether relay and workers live. Each number is a link.

As many statements on a small table as on a huge one, each along an index. What is counted by hour and day is counted
among the newest rows only.
"""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commerce_coordinator.console import health
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.ids import first_at
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals.graph import short

from . import refusals
from .sections import Section
from .showing import NOTHING, badge, link, list_of, roughly

#: Rows of a table that are counted, the newest ones; a shop of a million deliveries a day sees its last hour and more.
MOST_COUNTED = 50_000

#: What asks for somebody stands first: a narrow window shows the first columns.
EVENT_STATES = (InboxEvent.State.FAILED, InboxEvent.State.SENT, InboxEvent.State.IGNORED)
DELIVERY_STATES = (Delivery.State.DEAD, Delivery.State.PENDING, Delivery.State.RUNNING, Delivery.State.SUCCEEDED)

AGES = ("hour", "day")

#: What it means that nobody lives, and what to do.
_SILENT = {
    "relay": "Start one: until then retries and lost messages wait.",
    "workers": "Start one: until then what came in waits.",
}
_CUT_OFF = "Without the broker nothing reaches it."

#: Over this, what is due waits too long: the relay looks every few seconds.
LATE = timedelta(minutes=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Overview:
    """What the page shows: sentences with their state, and tables."""

    lights: Sequence[tuple[SafeString, str]]
    sections: Sequence[Section]


def overview(request: HttpRequest) -> Overview | None:
    """None for whoever may not view the record."""
    user: Any = request.user
    if not (user.has_perm("inbox.view_inboxevent") and user.has_perm("deliveries.view_delivery")):
        return None
    now = timezone.now()
    details = health.look(now).details
    return Overview(
        lights=list(_lights(details)),
        sections=[_attention(details["attention"]), _came_in(now), _deliveries(now)],
    )


def _lights(details: dict[str, Any]) -> Iterable[tuple[SafeString, str]]:
    yield (
        _light(details["broker"] == "ok"),
        "The broker answers."
        if details["broker"] == "ok"
        else ("The broker is away: what is due waits, and nothing is lost."),
    )
    for name, what in (("relay", "A relay"), ("workers", "A worker")):
        alive = details[name]
        then = _CUT_OFF if name == "workers" and details["broker"] != "ok" else _SILENT[name]
        told = {
            "ok": f"{what} lives: last seen {roughly(alive.get('seconds_ago', 0))} ago.",
            "silent": f"{what} is silent: last seen {roughly(alive.get('seconds_ago', 0))} ago. {then}",
            "unknown": _unknown(alive.get("seconds_ago")),
        }
        yield _light(alive["state"] == "ok"), told.get(alive["state"], f"{what} was never seen. Does one run?")
    late = details["oldest_due_seconds"]
    in_time = late < LATE.total_seconds()
    yield _light(in_time), f"The oldest due delivery waits for {roughly(late)}." if late else "Nothing is overdue."
    refused = details["webhooks_refused_last_hour"]
    yield _light(not refused), refusals.told(refused)
    yield _light(not any(details["attention"].values())), _dead_letters(details["attention"].values())


def _unknown(seconds_ago: float | None) -> str:
    last = "none was ever seen" if seconds_ago is None else f"one was last seen {roughly(seconds_ago)} ago"
    return f"Whether workers live cannot be told without a relay, which asks them: {last}."


def _dead_letters(counts: Collection[int]) -> str:
    if not any(counts):
        return "No dead letter waits for somebody."
    number = f"{sum(counts):,}{'+' if max(counts) >= health.COUNT_UP_TO else ''}"
    return format_html("{}: {}.", link(reverse("console:dead_letters"), "Dead letters wait for somebody"), number)


def _light(good: bool) -> SafeString:
    return badge("ok") if good else badge("look")


def _attention(counts: dict[str, int]) -> Section:
    kinds = {
        "dead_deliveries": ("Dead deliveries", "delivery"),
        "failed_events": ("Failed events", "event"),
        "unrouted_dispatches": ("Unrouted dispatches", "dispatch"),
    }
    return Section(
        title="Waiting for somebody",
        headings=("What", "How many"),
        rows=[
            (text, _count(counts[name], f"{reverse('console:dead_letters')}?kind={kind}", most=health.COUNT_UP_TO))
            for name, (text, kind) in kinds.items()
        ],
    )


def _came_in(now: datetime) -> Section:
    found = _counted(InboxEvent, "provider", now)
    return _table(
        "Events that came in",
        "Provider",
        [(name, name, {"provider": name}) for name in sorted({name for name, _ in found})],
        EVENT_STATES,
        InboxEvent,
        found,
    )


def _deliveries(now: datetime) -> Section:
    found = _counted(Delivery, "receiver", now)
    return _table(
        "Deliveries",
        "Receiver",
        [(path, short(path), {"receiver": path}) for path in sorted({path for path, _ in found}, key=short)],
        DELIVERY_STATES,
        Delivery,
        found,
    )


def _counted(model: Any, column: str, now: datetime) -> dict[tuple[str, str], tuple[int, int]]:
    """(value of the column, state) -> (in the last hour, in the last day), of the newest rows. Two statements."""
    hour, day = first_at(now - timedelta(hours=1)), first_at(now - timedelta(days=1))
    newest = model.objects.order_by("-pk").values_list("pk", flat=True)
    oldest = next(iter(newest[MOST_COUNTED - 1 : MOST_COUNTED]), None)
    rows = model.objects.filter(pk__gte=max(day, oldest) if oldest else day)
    # Said so that no index on these columns is considered: it would be walked from end to end for the grouping.
    grouped = rows.order_by().values_list(Coalesce(column, Value("")), Coalesce("state", Value("")))
    counted = grouped.annotate(in_hour=Count("pk", filter=Q(pk__gte=hour)), in_day=Count("pk"))
    return {(value, state): (in_hour, in_day) for value, state, in_hour, in_day in counted}


def _table(
    title: str,
    heading: str,
    lines: Sequence[tuple[str, str, dict[str, str]]],
    states: Sequence[str],
    model: Any,
    found: dict[tuple[str, str], tuple[int, int]],
) -> Section:
    rows = [
        (
            text,
            *(
                _count(found.get((value, state), (0, 0))[place], list_of(model, state=state, since=age, **query))
                for state in states
                for place, age in enumerate(AGES)
            ),
        )
        for value, text, query in lines
    ]
    return Section(
        title=f"{title}, in the last hour and day",
        headings=(heading, *AGES * len(states)),
        groups=[(str(state), len(AGES)) for state in states],
        rows=rows,
        empty="None in a day.",
    )


def _count(number: int, address: str, *, most: int | None = None) -> SafeString | str:
    if not number:
        return NOTHING
    return link(address, format_html("{}{}", f"{number:,}", "+" if most and number >= most else ""))
