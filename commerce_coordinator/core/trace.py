"""The whole way of an event, read by foreign keys: event -> dispatch -> delivery -> attempt -> dispatch ..."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent


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
    """One story: an event (None when a signal was sent without one) and what followed."""

    event: InboxEvent | None
    dispatches: list[DispatchNode] = dataclasses.field(default_factory=list)

    def deliveries(self) -> Iterator[DeliveryNode]:
        """All of them, in order."""
        waiting = list(reversed(self.dispatches))
        while waiting:
            for node in waiting.pop().deliveries:
                yield node
                waiting.extend(reversed(node.sent))

    @property
    def is_settled(self) -> bool:
        """Nothing is in flight any more."""
        open_states = {Delivery.State.PENDING, Delivery.State.RUNNING}
        return all(node.delivery.state not in open_states for node in self.deliveries())


#: A story longer than this is cut; none of ours comes near.
DEEPEST = 20


def find(reference: str) -> list[Trace]:
    """The traces that an event id, trace id, order number, or a row's own id tells of, oldest first."""
    if not reference:
        return []  # it would name every dispatch that is about nothing
    events, roots = _events(reference), _roots(reference)
    roots = [root for root in roots if root.event_id not in {event.pk for event in events}]
    by_event = defaultdict(list)
    for root in roots:
        if root.event_id:
            by_event[root.event_id].append(root)
    events += list(InboxEvent.objects.filter(pk__in=by_event).defer("raw_body"))
    traces = [Trace(event=event) for event in events]
    traces += [Trace(event=None, dispatches=[DispatchNode(dispatch=root)]) for root in roots if not root.event_id]
    for trace in traces:
        if trace.event is not None:
            trace.dispatches = [
                DispatchNode(dispatch=each) for each in Dispatch.objects.filter(event=trace.event).order_by("id")
            ]
        _fill(trace.dispatches)
    return sorted(traces, key=lambda trace: trace.event.pk if trace.event else trace.dispatches[0].dispatch.pk)


def _events(reference: str) -> list[InboxEvent]:
    found = Q(event_id=reference) | Q(trace_id=reference)
    key = _uuid(reference)
    if key:
        found |= Q(pk=key)
    return list(InboxEvent.objects.filter(found).defer("raw_body").order_by("id"))


def _roots(reference: str) -> list[Dispatch]:
    """Dispatches that the reference names, followed up to where their story began."""
    named = Q(trace_id=reference) | Q(subject=reference)
    key = _uuid(reference)
    if key:
        named |= Q(pk=key) | Q(pk__in=list(Delivery.objects.filter(pk=key).values_list("dispatch_id", flat=True)))
    level = {each.pk: each for each in Dispatch.objects.filter(named)}
    roots: dict[uuid.UUID, Dispatch] = {}
    for _ in range(DEEPEST):
        roots.update({key: each for key, each in level.items() if each.parent_id is None})
        parents = [each.parent_id for each in level.values() if each.parent_id]
        if not parents:
            break
        above = Delivery.objects.filter(pk__in=parents).values_list("dispatch_id", flat=True)
        level = {each.pk: each for each in Dispatch.objects.filter(pk__in=list(above))}
    return [roots[key] for key in sorted(roots)]


def _fill(nodes: list[DispatchNode]) -> None:
    """Read level by level: three queries each, however wide it is."""
    for _ in range(DEEPEST):
        if not nodes:
            return
        by_dispatch = {node.dispatch.pk: node for node in nodes}
        deliveries = {
            each.pk: DeliveryNode(delivery=each)
            for each in Delivery.objects.filter(dispatch__in=by_dispatch).order_by("id")
        }
        for child in deliveries.values():
            child.delivery.dispatch = by_dispatch[child.delivery.dispatch_id].dispatch
            by_dispatch[child.delivery.dispatch_id].deliveries.append(child)
        for attempt in Attempt.objects.filter(delivery__in=deliveries).order_by("generation", "number"):
            deliveries[attempt.delivery_id].attempts.append(attempt)
        nodes = [DispatchNode(dispatch=each) for each in Dispatch.objects.filter(parent__in=deliveries).order_by("id")]
        for node in nodes:
            parent: Any = node.dispatch.parent_id
            deliveries[parent].sent.append(node)


def _uuid(reference: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(reference)
    except ValueError:
        return None
