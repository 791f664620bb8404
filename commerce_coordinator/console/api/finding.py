"""Rows for the lists, newest first. Each page costs a fixed number of statements, each along an index.

Of several filters one leads, by its index. The others are looked at in the newest MOST_WALKED rows that it leads to;
where that is not enough for a page, the answer tells where to go on.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from commerce_coordinator.console.dead_letters import MOST_WALKED
from commerce_coordinator.console.indexes import along_index, off_index
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.ids import first_at
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.rest.cursor import Window

#: Dispatches of one order, person or trace whose deliveries are looked at, the newest ones.
MOST_DISPATCHES = 1000

#: (rows, where the next page begins: None when there is none)
Found = tuple[list[Any], uuid.UUID | None]
Wanted = Mapping[str, Any]


def events(wanted: Wanted, window: Window) -> Found:
    leads = ("event_id", "trace_id", "state")
    return _page(InboxEvent.objects.defer("raw_body"), wanted, window, leads=leads)


def dispatches(wanted: Wanted, window: Window) -> Found:
    leads = ("event", "trace_id", "subject", "person", "unrouted")
    return _page(Dispatch.objects.defer("payload"), wanted, window, leads=leads)


def deliveries(wanted: Wanted, window: Window) -> Found:
    # Prefetched, not joined: with a join MySQL may start from the smaller table and sort it all.
    dispatch = Dispatch.objects.only("signal", "subject", "person", "trace_id")
    rows = Delivery.objects.defer("error_text").prefetch_related(Prefetch("dispatch", dispatch))
    columns = {_COLUMNS.get(name, name): value for name, value in wanted.items()}
    of_dispatch: Wanted = {name: columns.pop(name) for name in _OF_DISPATCH if name in columns}
    if of_dispatch:
        columns["pk__in"] = _of_dispatches(of_dispatch)
    # Nearly all rows succeeded: there the receiver's index finds fewer, else the state's does.
    succeeded = columns.get("state") == Delivery.State.SUCCEEDED
    leads = ("pk__in", *(("receiver", "state") if succeeded else ("state", "receiver")))
    return _page(rows, columns, window, leads=leads)


#: Columns whose index ends in the key; what the others lead to is few.
_WITH_KEY = ("state", "receiver", "unrouted")
_OF_DISPATCH: Sequence[str] = ("trace_id", "subject", "person")
_COLUMNS = {"signal": "dispatch__signal", "error": "error_class"}


def _of_dispatches(wanted: Wanted) -> list[uuid.UUID]:
    """The deliveries of an order, a person or a trace."""
    lead, *others = wanted
    found = Dispatch.objects.filter(*(off_index(name, wanted[name]) for name in others), **{lead: wanted[lead]})
    keys = list(found.order_by("-pk").values_list("pk", flat=True)[:MOST_DISPATCHES])
    return list(Delivery.objects.filter(dispatch__in=keys).values_list("pk", flat=True))


def _page(rows: QuerySet[Any], wanted: Wanted, window: Window, *, leads: Sequence[str]) -> Found:
    """leads: columns with an index of their own, the narrowest first."""
    columns = dict(wanted)
    since, until = columns.pop("since", None), columns.pop("until", None)
    lead = next((name for name in leads if name in columns), None)
    if lead:
        value = columns.pop(lead)
        rows = rows.filter(along_index(lead, value) if lead in _WITH_KEY else Q(**{lead: value}))
    if since:
        rows = rows.filter(pk__gte=first_at(since))
    if until:
        rows = rows.filter(pk__lt=first_at(until))
    if window.before:
        rows = rows.filter(pk__lt=window.before)
    rows = rows.order_by(f"-{lead}", "-pk") if lead in _WITH_KEY else rows.order_by("-pk")
    edge = None
    if columns:
        edge = rows.values_list("pk", flat=True)[MOST_WALKED - 1 : MOST_WALKED].first()
        if edge:
            rows = rows.filter(pk__gte=edge)
        rows = rows.filter(*(off_index(name, value) for name, value in columns.items()))
    found = list(rows[: window.size + 1])
    if len(found) > window.size:
        return found[: window.size], found[window.size - 1].pk
    return found, edge
