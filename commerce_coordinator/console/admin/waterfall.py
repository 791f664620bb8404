"""A trace as rows, from the event down to each call, and the bar of each. No statement of its own, no HTML.

What is private is left out where the reader may not see it; nothing below this looks at permissions.
"""

import dataclasses
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.deliveries.receivers import delivery_task_at, schedule_of
from commerce_coordinator.core.deliveries.retry import max_attempts
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals.graph import short
from commerce_coordinator.core.trace import DeliveryNode, DispatchNode, Trace

from . import words
from .calls import Call, calls
from .sections import HIDDEN
from .showing import pretty, pretty_bytes, printable, utc
from .timeline import spell
from .tries import AGAIN, Piece, Try, by_generation, tries

#: Characters of a payload, body or error text that a row shows; the row's own page has the rest.
LONGEST_TEXT = 6000

Acts = Mapping[uuid.UUID, Sequence[OperatorAct]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line. level: 1 for the event. pieces: its bar. note: what stands beside the name. is_open: shown unfolded.

    facts and texts stand in what unfolds; page: the row whose page the admin has; replay: it may be replayed.
    """

    level: int
    kind: str
    name: str
    state: str = ""
    note: str = ""
    start: datetime | None = None
    seconds: float | None = None
    pieces: Sequence[Piece] = ()
    error: str = ""
    facts: Sequence[tuple[str, str]] = ()
    texts: Sequence[tuple[str, str]] = ()
    page: Dispatch | Delivery | InboxEvent | None = None
    replay: bool = False
    is_open: bool = False
    failed: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waterfall:
    """What the rows are made of. private: the reader may see private values.

    body: the event's, as far as it was read. about: what the page's heading tells already.
    """

    trace: Trace
    acts: Acts
    now: datetime
    private: bool
    body: bytes | None = None
    about: str = ""

    def rows(self) -> Iterator[Row]:
        """All of them, from the event down, each when it is asked for."""
        event, level = self.trace.event, 1
        if event is not None:
            yield self._event(event)
            yield from self._acts(2, event.pk)
            level = 2
        for node in self.trace.dispatches:
            yield from self._dispatch(level, node)

    def moments(self) -> Iterator[datetime]:
        """When something began or ended."""
        if self.trace.event is not None:
            yield self.trace.event.received_at
        for node in self.trace.all_dispatches():
            yield node.dispatch.created_at
            for child in node.deliveries:
                for piece in self._pieces(child):
                    yield piece.start
                    yield piece.end
                for attempt in child.attempts:
                    for call in calls(attempt.calls):
                        if call.start and call.end:
                            yield from (call.start, call.end)

    def running(self) -> Iterator[tuple[datetime, datetime]]:
        """From when to when something ran."""
        for node in self.trace.deliveries():
            for piece in self._pieces(node):
                if piece.kind != "wait":
                    yield piece.start, piece.end

    # --- Event and dispatch ---

    def _event(self, event: InboxEvent) -> Row:
        ended = [node.delivery.settled_at for node in self.trace.deliveries() if node.delivery.settled_at]
        seconds = (max(ended) - event.received_at).total_seconds() if ended and self.trace.is_settled else None
        if event.raw_body is None and not event.body_kept:
            body = "Retention has emptied it."
        else:
            body = _cut(pretty_bytes(self.body)) if self.private and self.body is not None else HIDDEN
        bad = event.state == InboxEvent.State.FAILED
        return Row(
            level=1,
            kind="event",
            name=f"{event.provider} {event.event_type}",
            note=event.event_id,
            state=event.state,
            start=event.received_at,
            seconds=seconds,
            pieces=[_instant(event.received_at, "received")],
            error=words.of_event(event) if event.state != InboxEvent.State.SENT else "",
            facts=_facts(account=event.account, received=f"{utc(event.received_at)} UTC", trace_id=event.trace_id),
            texts=[("Raw body", body)],
            page=event,
            replay=bad,
            is_open=bad,
            failed=bad,
        )

    def _dispatch(self, level: int, node: DispatchNode) -> Iterator[Row]:
        row = node.dispatch
        shown = row.payload if self.private else contracts.masked(row.signal, row.payload)
        payload = "Not kept: it was no JSON, or retention has emptied it." if row.payload is None else pretty(shown)
        yield Row(
            level=level,
            kind="signal",
            name=short(row.signal),
            note=row.subject if row.subject != self.about else "",
            state="unrouted" if row.unrouted else "",
            start=row.created_at,
            pieces=[_instant(row.created_at, "sent")],
            error="The map routed it to no receiver, so nothing follows from it." if row.unrouted else "",
            facts=_facts(
                signal=row.signal,
                sender=row.sender,
                origin=row.origin,
                person=row.person,
                dedupe_key=row.dedupe_key,
                span_id=row.span_id,
                map=row.map_hash,
            ),
            texts=[("Payload" if self.private else "Payload, without private values", _cut(payload))],
            page=row,
            replay=row.unrouted,
            is_open=row.unrouted,
            failed=row.unrouted,
        )
        yield from self._acts(level + 1, row.pk)
        for child in node.deliveries:
            yield from self._delivery(level + 1, child)

    # --- Delivery and attempt ---

    def _delivery(self, level: int, node: DeliveryNode) -> Iterator[Row]:
        row, found = node.delivery, self._tries(node)
        most = max_attempts(schedule_of(delivery_task_at(row.receiver)))
        says = words.of_delivery(row, most=most, now=self.now)
        is_dead, in_flight = row.state == Delivery.State.DEAD, row.settled_at is None
        alone = not node.attempts  # an inline receiver's, or dead without a try: no row below tells of the error
        yield Row(
            level=level,
            kind="delivery",
            name=short(row.receiver),
            note=says if in_flight else "",
            state=row.state,
            start=row.created_at,
            seconds=(row.settled_at - row.created_at).total_seconds() if row.settled_at else None,
            pieces=self._pieces(node),
            error=words.of_error(row.error_class, is_dead=is_dead) if alone else "",
            facts=_facts(
                receiver=row.receiver,
                kind=row.kind,
                state="" if in_flight else says,
                idempotency_key=row.idempotency_key,
                worker=row.worker if row.state == Delivery.State.RUNNING else "",
            ),
            texts=self._error_text(row.error_text) if alone else [],
            page=row,
            replay=row.state in (Delivery.State.DEAD, Delivery.State.CANCELLED),
            is_open=is_dead,
            failed=is_dead,
        )
        acts = self.acts.get(row.pk, ())
        if row.kind == Delivery.Kind.INLINE and row.generation:
            yield self._first_run(level + 1, row, acts)
        for generation, group in by_generation(found):
            begun = [act for act in acts if act.kind in AGAIN and act.generation == generation]
            yield from self._told(level + 1, begun, name=f"replay {generation}")
            # Without its act (it was its dispatch's, or acts were not kept yet) a replay has its heading all the same.
            if generation and not begun:
                yield Row(level=level + 1, kind="replay", name=f"replay {generation}")
            for each in group:
                # An inline receiver's has no row: its delivery is the only record.
                if each.attempt or not each.end:
                    yield from self._try(level + (2 if generation else 1), node, each, says=says)
        yield from self._told(level + 1, [act for act in acts if act.kind not in AGAIN])
        shown = {each.key for each in found}
        for sent in node.sent:
            if sent.dispatch.attempt_id not in shown:
                yield from self._dispatch(level + 1, sent)

    def _first_run(self, level: int, row: Delivery, acts: Iterable[OperatorAct]) -> Row:
        """Of an inline receiver that was replayed: no row is kept of it (ADR 0010). By force: it had succeeded."""
        again = {act.kind for act in acts if act.kind in AGAIN and act.generation == 1}
        outcome = Delivery.State.SUCCEEDED if OperatorAct.Kind.FORCED in again else Delivery.State.DEAD
        return Row(
            level=level,
            kind="try",
            name="first run, inline",
            note="" if again else "How it ended is not kept.",
            state=outcome if again else "",
            start=row.created_at,
            failed=bool(again) and outcome == Delivery.State.DEAD,
        )

    def _try(self, level: int, node: DeliveryNode, each: Try, *, says: str) -> Iterator[Row]:
        attempt = each.attempt
        bad = attempt is not None and each.outcome in ("dead", "lost")
        is_last = node.delivery.state == Delivery.State.DEAD and attempt is node.attempts[-1]
        yield Row(
            level=level,
            kind="try",
            name=f"try {each.number}",
            note=each.waited.words if each.waited else "",
            state=each.outcome,
            start=each.start or (each.waited.start if each.waited else None),
            seconds=(each.end - each.start).total_seconds() if each.start and each.end else None,
            pieces=each.pieces(self.now),
            error=words.of_error(attempt.error_class, is_dead=is_last) if attempt else "",
            facts=_facts(
                next="" if attempt or node.delivery.settled_at else says,
                worker=attempt.worker if attempt else "",
                began=f"{utc(each.start)} UTC" if each.start else "",
                span_id=attempt.span_id if attempt else "",
                id=str(each.key or ""),
            ),
            texts=self._error_text(attempt.error_text) if attempt else [],
            is_open=bad,
            failed=bad,
        )
        sent = [child for child in node.sent if each.key and child.dispatch.attempt_id == each.key]
        for one in in_order(calls(attempt.calls) if attempt else [], sent):
            yield from self._call(level + 1, one) if isinstance(one, Call) else self._dispatch(level + 1, one)

    def _call(self, level: int, call: Call) -> Iterator[Row]:
        end, kind = call.end, "failed" if call.failed else "call"
        took = f"{call.answer} after {spell(call.seconds)}"
        yield Row(
            level=level,
            kind=call.kind,
            name=call.name,
            state=call.answer,
            start=call.start,
            seconds=call.seconds,
            pieces=[Piece(kind=kind, start=call.start, end=end, words=took)] if call.start and end else [],
            facts=call.facts,
            failed=call.failed,
        )
        for each in call.inside:
            yield from self._call(level + 1, each)

    # --- What people did, and what hangs on several kinds ---

    def _acts(self, level: int, key: uuid.UUID) -> Iterator[Row]:
        yield from self._told(level, self.acts.get(key, ()))

    def _told(self, level: int, acts: Iterable[OperatorAct], *, name: str = "") -> Iterator[Row]:
        """A line per act: who, when and why. A person's own words may name a learner."""
        for act in acts:
            why = (printable(act.why) if self.private else HIDDEN) if act.why else ""
            yield Row(
                level=level,
                kind="replay" if act.kind in AGAIN else "act",
                name=f"{name}, by force" if name and act.kind == OperatorAct.Kind.FORCED else name or act.kind,
                note=f"by {act.who or 'nobody named'} at {utc(act.acted_at)} UTC" + (f": {why}" if why else ""),
                start=act.acted_at,
                pieces=[_instant(act.acted_at, act.kind)],
                facts=_facts(from_the=act.origin),
            )

    def _tries(self, node: DeliveryNode) -> list[Try]:
        return tries(node, self.acts.get(node.delivery.pk, ()), self.now)

    def _pieces(self, node: DeliveryNode) -> list[Piece]:
        return [piece for each in self._tries(node) for piece in each.pieces(self.now)]

    def _error_text(self, text: str) -> list[tuple[str, str]]:
        return [("Error text", _cut(printable(text)) if self.private else HIDDEN)] if text else []


def in_order(made: Sequence[Call], sent: Sequence[DispatchNode]) -> list[Call | DispatchNode]:
    """Calls in their order, and each dispatch before the first call that began after it."""
    found: list[Call | DispatchNode] = []
    waiting = list(sent)
    for call in made:
        while waiting and call.start and waiting[0].dispatch.created_at < call.start:
            found.append(waiting.pop(0))
        found.append(call)
    return found + waiting


def _instant(at: datetime, what: str) -> Piece:
    return Piece(kind="instant", start=at, end=at, words=what)


def _facts(**told: str) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), text) for name, text in told.items() if text]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}\n… (cut; its own page has all of it)"
