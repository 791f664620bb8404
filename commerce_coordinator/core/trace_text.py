"""A trace as JSON for programs and as a tree for people. Private values are left out of both."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from commerce_coordinator.core.deliveries.models import Delivery, OperatorAct
from commerce_coordinator.core.signals.graph import short
from commerce_coordinator.core.trace import DeliveryNode, DispatchNode, Trace
from commerce_coordinator.core.tree import Branch

#: What is told of a call on a far side, and of a step of a filter: `inside` of the entries after it happened in it.
CALL_KEYS = ("method", "path", "status", "error", "ms")
STEP_KEYS = ("step", "filter", "outcome", "error", "ms", "inside")

MARKS = {
    "succeeded": "✔",
    "sent": "✔",
    "answered": "✔",
    "dead": "✘",
    "failed": "✘",
    "lost": "✘",
    "retry": "↻",
    "ignored": "–",
}

#: Acts that begin a generation.
AGAIN = (OperatorAct.Kind.REPLAYED, OperatorAct.Kind.FORCED)

#: What people did, by the key of the row to which they did it, as `trace.acts` reads it.
Acts = Mapping[uuid.UUID, Sequence[OperatorAct]]


def as_dict(trace: Trace, *, acts: Acts | None = None) -> dict[str, Any]:
    """Nested as the story went. Times are ISO 8601 in UTC, durations milliseconds.

    acts: with them each delivery has `acts`, who replayed it or set it aside and when. Why is private, and left out.
    """
    event = trace.event
    return {
        "event": event
        and {
            "id": str(event.pk),
            "provider": event.provider,
            "account": event.account,
            "event_id": event.event_id,
            "type": event.event_type,
            "state": event.state,
            "reason": event.reason,
            "received_at": event.received_at.isoformat(),
        },
        "trace_id": event.trace_id if event else trace.dispatches[0].dispatch.trace_id,
        # Of one that is cut nobody has seen the rest.
        "settled": trace.is_settled and not trace.cut,
        "succeeded": trace.has_succeeded and not trace.cut,
        "cut": trace.cut,
        "dispatches": [_dispatch(node, acts) for node in trace.dispatches],
    }


def _dispatch(node: DispatchNode, acts: Acts | None) -> dict[str, Any]:
    dispatch = node.dispatch
    return {
        "id": str(dispatch.pk),
        "signal": dispatch.signal,
        "subject": dispatch.subject,
        "origin": dispatch.origin,
        "at": dispatch.created_at.isoformat(),
        "deliveries": [_delivery(child, acts) for child in node.deliveries],
    }


def _delivery(node: DeliveryNode, acts: Acts | None) -> dict[str, Any]:
    delivery = node.delivery
    attempts = [
        {
            "id": str(attempt.pk),
            "generation": attempt.generation,
            "number": attempt.number,
            "outcome": attempt.outcome,
            "error_class": attempt.error_class,
            "started_at": attempt.started_at.isoformat(),
            "ms": _milliseconds(attempt.started_at, attempt.ended_at),
            "calls": [_call(call) for call in attempt.calls],
            "sent": [_dispatch(child, acts) for child in node.sent if child.dispatch.attempt_id == attempt.pk],
        }
        for attempt in node.attempts
    ]
    shown = {attempt.pk for attempt in node.attempts}
    return {
        "id": str(delivery.pk),
        "receiver": delivery.receiver,
        "kind": delivery.kind,
        **({} if acts is None else {"acts": [_act(act) for act in acts.get(delivery.pk, ())]}),
        "state": delivery.state,
        "attempts_made": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at.isoformat() if delivery.state == "pending" else None,
        "settled_at": delivery.settled_at.isoformat() if delivery.settled_at else None,
        "ms": _milliseconds(delivery.created_at, delivery.settled_at) if delivery.settled_at else None,
        "error_class": delivery.error_class,
        "attempts": attempts,
        # By an inline receiver, or by an attempt that has not ended.
        "sent": [_dispatch(child, acts) for child in node.sent if child.dispatch.attempt_id not in shown],
    }


def _act(act: OperatorAct) -> dict[str, Any]:
    return {"kind": act.kind, "generation": act.generation, "who": act.who, "at": act.acted_at.isoformat()}


def _call(call: dict[str, Any]) -> dict[str, Any]:
    return {key: call.get(key) for key in (STEP_KEYS if "step" in call else CALL_KEYS)}


def as_tree(story: dict[str, Any]) -> Branch:
    """The tree of an `as_dict` story."""
    event = story["event"]
    if event is None:
        label = f"signal sent without an event   trace {story['trace_id']}"
    else:
        reason = f" ({event['reason']})" if event["reason"] else ""
        label = (
            f"{MARKS.get(event['state'], '·')} event {event['provider']} {event['type']} {event['event_id']}"
            f"   {event['state']}{reason}   {_clock(event['received_at'])}   trace {story['trace_id']}"
        )
    return Branch(label=label, below=[_dispatch_branch(each) for each in story["dispatches"]])


def _dispatch_branch(dispatch: dict[str, Any]) -> Branch:
    below = [_delivery_branch(each) for each in dispatch["deliveries"]]
    nobody = "" if below else "   nobody received it"
    return Branch(
        label=f"signal {short(dispatch['signal'])} {dispatch['subject']}   {_clock(dispatch['at'])}{nobody}",
        below=below,
    )


def _delivery_branch(delivery: dict[str, Any]) -> Branch:
    state = delivery["state"]
    label = f"{MARKS.get(state, '…')} {short(delivery['receiver'])}   {state}"
    if delivery["ms"] is not None:
        label += f" after {_duration(delivery['ms'])}"
    if state == "pending":
        label += f", next attempt at {_clock(delivery['next_attempt_at'])}"
    if delivery["error_class"]:
        label += f"   {delivery['error_class']}"
    told = [(each["generation"], 1, each["started_at"], _attempt_branch(each)) for each in delivery["attempts"]]
    told += [_act_told(each) for each in delivery.get("acts", ())]
    if delivery["kind"] == Delivery.Kind.INLINE and any(generation for generation, *_ in told):
        told.append((0, 0, "", Branch(label=_first_run(delivery.get("acts", ())))))
    below = [branch for *_, branch in sorted(told, key=lambda each: each[:3])]
    below += [_dispatch_branch(each) for each in delivery["sent"]]
    return Branch(label=f"{label}   {delivery['id']}", below=below)


def _act_told(act: dict[str, Any]) -> tuple[int, int, str, Branch]:
    """Generation, place in it, time, line: a replay stands before the attempts of its generation, others after them."""
    begins = act["kind"] in AGAIN
    name = f"replay {act['generation']}" if begins else act["kind"]
    by_force = ", by force," if act["kind"] == OperatorAct.Kind.FORCED else ""
    label = f"{name}{by_force} by {act['who'] or 'nobody named'}, {_clock(act['at'])[:8]}"
    return act["generation"], 0 if begins else 2, act["at"], Branch(label=label)


def _first_run(acts: Sequence[dict[str, Any]]) -> str:
    """The run of an inline receiver that was replayed: it has no attempt (ADR 0010). By force: it had succeeded."""
    kinds = {each["kind"] for each in acts if each["generation"] == 1 and each["kind"] in AGAIN}
    if not kinds:
        return "· first run, inline: how it ended is not kept"
    outcome = "succeeded" if OperatorAct.Kind.FORCED in kinds else "dead"
    return f"{MARKS[outcome]} first run, inline: {outcome}"


def _attempt_branch(attempt: dict[str, Any]) -> Branch:
    outcome = attempt["outcome"]
    label = f"{MARKS.get(outcome, '·')} attempt {attempt['number']}"
    if attempt["generation"]:
        label += f" of replay {attempt['generation']}"
    label += f"   {outcome} in {_duration(attempt['ms'])}   {_clock(attempt['started_at'])}"
    if attempt["error_class"]:
        label += f"   {attempt['error_class']}"
    below = _call_branches(attempt["calls"])
    return Branch(label=label, below=below + [_dispatch_branch(each) for each in attempt["sent"]])


def _call_branches(calls: Sequence[dict[str, Any]]) -> list[Branch]:
    """Calls and steps in order; below a step hangs what happened inside it."""
    branches, at = [], 0
    while at < len(calls):
        after = at + 1 + (calls[at].get("inside") or 0)
        branches.append(Branch(label=_call_label(calls[at]), below=_call_branches(calls[at + 1 : after])))
        at = after
    return branches


def _call_label(call: dict[str, Any]) -> str:
    took = _duration(call["ms"] or 0)
    if "step" not in call:
        return f"{call['method']} {call['path']}   {call['status'] or call['error']}   {took}"
    error = f"   {call['error']}" if call["error"] else ""
    return f"{MARKS.get(call['outcome'], '·')} step {short(call['step'])}   {call['outcome']} in {took}{error}"


def _milliseconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() * 1000, 1)


def _clock(iso: str) -> str:
    """`2026-01-02T03:04:05.678901+00:00` -> `03:04:05.678`; the day is the first line's business."""
    return iso.partition("T")[2][:12]


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
