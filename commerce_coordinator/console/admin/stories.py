"""What a whole story comes to, in a word and a sentence, for lists and headings."""

from collections import Counter

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals.graph import short
from commerce_coordinator.core.trace import Trace

State = Delivery.State


def tally(trace: Trace) -> tuple[str, str]:
    """(word of its state: the worst first, a sentence on its deliveries)."""
    states = Counter(str(node.delivery.state) for node in trace.deliveries())
    total, done = sum(states.values()), states[State.SUCCEEDED]
    others = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if state != State.SUCCEEDED)
    least = "at least " if trace.cut else ""
    if not total:
        text = "No delivery."
    else:
        text = f"{done} of {least}{total} {'delivery' if total == 1 else 'deliveries'} succeeded" + (
            f", {others}." if others else "."
        )
    return _word(trace, states), text


def _word(trace: Trace, states: Counter[str]) -> str:
    if trace.event and trace.event.state == InboxEvent.State.FAILED:
        return str(InboxEvent.State.FAILED)
    if any(node.dispatch.unrouted for node in trace.all_dispatches()):
        states["unrouted"] += 1
    for word in (State.DEAD, "unrouted", State.RUNNING, State.PENDING, State.CANCELLED, State.SUCCEEDED):
        if states[str(word)]:
            return str(word)
    return str(trace.event.state) if trace.event else "sent"


def what(trace: Trace) -> str:
    """What it began with."""
    if trace.event:
        return f"{trace.event.provider} {trace.event.event_type}"
    return short(trace.dispatches[0].dispatch.signal)


def about(trace: Trace) -> str:
    """The first order number, or whatever its signals are about; of an event without one its id."""
    subjects = [node.dispatch.subject for node in trace.all_dispatches() if node.dispatch.subject]
    return subjects[0] if subjects else trace.event.event_id if trace.event else ""
