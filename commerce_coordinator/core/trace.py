"""The whole way of an event, read by foreign keys: event -> dispatch -> delivery -> attempt -> dispatch ..."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent

from .trace_roots import DEEPEST, beginnings, parts


@dataclasses.dataclass(kw_only=True)
class DeliveryNode:
    """A delivery, its attempts, and what it sent on."""

    delivery: Delivery
    attempts: list[Attempt] = dataclasses.field(default_factory=list)
    sent: "list[DispatchNode]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True)
class DispatchNode:
    """A dispatch and its deliveries."""

    dispatch: Dispatch
    deliveries: list[DeliveryNode] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True)
class Trace:
    """One story: an event (None when a signal was sent without one) and what followed. cut: there is more of it."""

    event: InboxEvent | None
    dispatches: list[DispatchNode] = dataclasses.field(default_factory=list)
    cut: bool = False

    @property
    def key(self) -> uuid.UUID:
        """Of the row that it began with. A later story has a greater one."""
        return self.event.pk if self.event else self.dispatches[0].dispatch.pk

    def all_dispatches(self) -> Iterator[DispatchNode]:
        """All of them, in order."""
        waiting = list(reversed(self.dispatches))
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed([sent for delivery in node.deliveries for sent in delivery.sent]))

    def deliveries(self) -> Iterator[DeliveryNode]:
        """All of them, in order."""
        for node in self.all_dispatches():
            yield from node.deliveries

    @property
    def is_settled(self) -> bool:
        """Nothing is in flight any more."""
        open_states = {Delivery.State.PENDING, Delivery.State.RUNNING}
        return all(node.delivery.state not in open_states for node in self.deliveries())

    @property
    def has_succeeded(self) -> bool:
        return all(node.delivery.state == Delivery.State.SUCCEEDED for node in self.deliveries())


#: Stories that one reference gives at most, the newest ones.
MOST_STORIES = 50

#: Deliveries that one look over HTTP reads at most: of one story, or of several together.
MOST_DELIVERIES = 5000


def find(
    reference: str, *, most: int = MOST_STORIES, private: bool = True, deliveries: int | None = None
) -> list[Trace]:
    """The newest traces that a reference tells of, oldest first.

    An event id, trace id, order number, LMS user id, a row's own id, or what an app knows of (`references`).
    private: by names as well, for whoever may see them. deliveries: read at most, of all together.
    """
    traces = begun(reference, most=most, private=private)
    fill(traces, most=deliveries)
    return traces[::-1]


def begun(reference: str, *, most: int, private: bool) -> list[Trace]:
    """The same stories, newest first, as far as they began: events and what was sent because of them."""
    events, alone = beginnings(reference, private=private)
    newest = sorted(events | alone, reverse=True)[:most]
    rows = {each.pk: each for each in InboxEvent.objects.filter(pk__in=events.intersection(newest)).defer("raw_body")}
    sent = defaultdict(list)
    for each in Dispatch.objects.filter(event__in=rows).order_by("id"):
        sent[each.event_id].append(DispatchNode(dispatch=each))
    roots = {each.pk: each for each in Dispatch.objects.filter(pk__in=alone.intersection(newest))}
    return [
        Trace(event=rows[key], dispatches=sent[key])
        if key in rows
        else Trace(event=None, dispatches=[DispatchNode(dispatch=roots[key])])
        for key in newest
        if key in rows or key in roots
    ]


def fill(traces: Sequence[Trace], *, most: int | None = None, lean: bool = False) -> None:
    """Read what followed, level by level: three queries each, however wide it is (per 500 rows).

    most: deliveries read at most; what lies beyond is missing, and the traces say that they are cut. lean: only how
    deliveries ended, without attempts and private values.
    """
    nodes = [node for trace in traces for node in trace.dispatches]
    left = most
    for _ in range(DEEPEST):
        if not nodes or left == 0:
            break
        by_dispatch = {node.dispatch.pk: node for node in nodes}
        deliveries = _deliveries(by_dispatch, left, lean=lean)
        if left is not None:
            left -= len(deliveries)
        if not lean:
            for attempt in _rows(Attempt.objects.order_by("generation", "number"), "delivery", deliveries):
                deliveries[attempt.delivery_id].attempts.append(attempt)
        dispatches = Dispatch.objects.defer("payload") if lean else Dispatch.objects.all()
        nodes = [DispatchNode(dispatch=each) for each in _rows(dispatches.order_by("id"), "parent", deliveries)]
        for node in nodes:
            parent: Any = node.dispatch.parent_id
            deliveries[parent].sent.append(node)
    for trace in traces:
        trace.cut = left == 0


def acts(trace: Trace) -> dict[uuid.UUID, list[OperatorAct]]:
    """What people did to its rows, by the row's key, oldest first. Three queries."""
    found = defaultdict(list)
    rows = OperatorAct.objects.order_by("acted_at", "id")
    events = [trace.event.pk] if trace.event else []
    keys = {
        "event": events,
        "dispatch": [node.dispatch.pk for node in trace.all_dispatches()],
        "delivery": [node.delivery.pk for node in trace.deliveries()],
    }
    for column, named in keys.items():
        for act in _rows(rows, column, named):
            found[getattr(act, f"{column}_id")].append(act)
    return found


def _deliveries(
    by_dispatch: dict[uuid.UUID, DispatchNode], most: int | None, *, lean: bool
) -> dict[uuid.UUID, DeliveryNode]:
    """The deliveries of these dispatches, hung below them."""
    rows = Delivery.objects.defer("error_text") if lean else Delivery.objects.all()
    found: dict[uuid.UUID, DeliveryNode] = {}
    for each in _rows(rows.order_by("id"), "dispatch", by_dispatch, most):
        above = by_dispatch[each.dispatch_id]
        each.dispatch = above.dispatch
        found[each.pk] = DeliveryNode(delivery=each)
        above.deliveries.append(found[each.pk])
    return found


def _rows(rows: QuerySet[Any], column: str, keys: Iterable[uuid.UUID], most: int | None = None) -> Iterator[Any]:
    """Rows whose column holds one of the keys, `most` of them at most."""
    for part in parts(sorted(keys)):
        found = list(rows.filter(**{f"{column}__in": part})[:most])
        yield from found
        if most is not None:
            most -= len(found)
            if most <= 0:
                return
