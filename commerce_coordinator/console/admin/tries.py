"""The tries of a delivery on the line of time: those that ended, the one that runs or waits. Pure functions."""

import dataclasses
import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, OperatorAct
from commerce_coordinator.core.trace import DeliveryNode

from .timeline import spell

State = Delivery.State

#: Acts that begin a generation.
AGAIN = (OperatorAct.Kind.REPLAYED, OperatorAct.Kind.FORCED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a bar. kind: `wait` (a gap), or the outcome of what ran. words: the same for whoever sees no bar."""

    kind: str
    start: datetime
    end: datetime
    words: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Try:
    """One try. attempt: its row, once it has ended. key: what it sent points at it. waited: the gap before, if known.

    start: None while it has not begun; end: None while it has not ended.
    """

    generation: int
    number: int
    outcome: str
    key: uuid.UUID | None = None
    attempt: Attempt | None = None
    waited: Piece | None = None
    start: datetime | None = None
    end: datetime | None = None

    def pieces(self, now: datetime) -> list[Piece]:
        """Its bar: the gap, then the run."""
        found = [self.waited] if self.waited else []
        if self.start:
            end = self.end or now
            took = spell((end - self.start).total_seconds())
            words = f"{self.outcome} after {took}" if self.end else f"running for {took}"
            found.append(Piece(kind=self.outcome, start=self.start, end=max(self.start, end), words=words))
        return found


def tries(node: DeliveryNode, acts: Sequence[OperatorAct], now: datetime) -> list[Try]:
    """All of them, in order. acts: what people did to the delivery."""
    begun_again = {act.generation: act.acted_at for act in acts if act.kind in AGAIN}
    found: list[Try] = []
    for attempt in node.attempts:
        found.append(
            Try(
                generation=attempt.generation,
                number=attempt.number,
                outcome=attempt.outcome,
                key=attempt.pk,
                attempt=attempt,
                waited=_gap(node.delivery, found, attempt.generation, attempt.started_at, begun_again),
                start=attempt.started_at,
                end=attempt.ended_at,
            )
        )
    return found + _open(node.delivery, found, begun_again, now)


def by_generation(found: Sequence[Try]) -> list[tuple[int, list[Try]]]:
    return [(generation, list(group)) for generation, group in itertools.groupby(found, lambda each: each.generation)]


def _open(delivery: Delivery, before: list[Try], begun_again: dict[int, datetime], now: datetime) -> list[Try]:
    """The try that has no row yet, because it runs, waits, or is one of an inline receiver, which never has."""
    generation = delivery.generation
    if delivery.state == State.PENDING:
        gap = _gap(delivery, before, generation, now, begun_again, over=False)
        return [Try(generation=generation, number=delivery.attempts + 1, outcome="pending", waited=gap)]
    if delivery.state == State.RUNNING:
        start = delivery.claimed_at or delivery.created_at
        gap = _gap(delivery, before, generation, start, begun_again)
        number, key = max(delivery.attempts, 1), delivery.claim_id
        return [Try(generation=generation, number=number, outcome="running", key=key, waited=gap, start=start)]
    if delivery.kind == Delivery.Kind.INLINE and not before and delivery.settled_at:
        outcome = str(Attempt.Outcome.SUCCEEDED if delivery.state == State.SUCCEEDED else Attempt.Outcome.DEAD)
        key, start, end = delivery.claim_id, delivery.created_at, delivery.settled_at
        return [Try(generation=generation, number=1, outcome=outcome, key=key, start=start, end=end)]
    return []


def _gap(
    delivery: Delivery,
    before: list[Try],
    generation: int,
    until: datetime,
    begun_again: dict[int, datetime],
    *,
    over: bool = True,
) -> Piece | None:
    """The wait before a try of this generation. None where nobody knows since when, or there was none."""
    retried = bool(before) and before[-1].generation == generation
    if retried:
        since = before[-1].end
    elif generation in begun_again:
        since = begun_again[generation]
    else:
        since = None if before else delivery.created_at
    if since is None or since >= until:
        return None
    what = "for the next try" if retried else "in the queue"
    words = f"{'waited' if over else 'waiting'} {spell((until - since).total_seconds())} {what}"
    return Piece(kind="wait", start=since, end=until, words=words)
