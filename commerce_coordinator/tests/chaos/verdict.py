"""What follows from the evidence: was anything lost or doubled, is anything left, how long did recovery take?"""

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from .breaking import Done
from .evidence import DeliveryRow, Evidence
from .stream import Purchase

OPEN = ("pending", "running")

#: How many of a kind are named one by one.
NAMED = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recovery:
    """After the faults of one kind: how many there were, and the longest time, in seconds. None: not recovered."""

    faults: int
    longest: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """Kept only if `problems` is empty."""

    events: int
    accepted: int
    in_effect: int
    doubled: int
    lost: int
    states: "Counter[str]"
    unrouted: int
    failed: int
    recovery: Mapping[str, Recovery]
    problems: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        return not self.problems


def judge(evidence: Evidence, done: Sequence[Done], failures: Sequence[str] = ()) -> Verdict:
    """Pure: the same evidence, the same verdict. `failures`: what chaos itself could not do."""
    accepted = [line for line in evidence.ledger.values() if line.accepted_at is not None]
    deliveries = _by_order(evidence.deliveries)
    doubles, lost, in_effect = list(_doubles(evidence)), [], 0
    for line in accepted:
        missing = list(_missing(evidence, line.planned.event_id, line.planned.purchase))
        states = {each.state for each in deliveries[line.planned.purchase.order_number]}
        waits = states - {"succeeded"} or evidence.inbox.get(line.planned.event_id) == "failed"
        if missing and not waits:
            lost.append(f"{line.planned.event_id}: {', '.join(missing)}")
        elif not missing and not waits:
            in_effect += 1
    states = Counter(each.state for each in evidence.deliveries)
    failed = sum(state == "failed" for state in evidence.inbox.values())
    problems = [
        *_named("lost", lost),
        *_named("doubled", list(dict.fromkeys(doubles))),
        *_named("never accepted", [key for key, line in evidence.ledger.items() if line.accepted_at is None]),
        *_named("not succeeded", [_of(each) for each in evidence.deliveries if each.state != "succeeded"]),
        *_named("failed event", [key for key, state in evidence.inbox.items() if state == "failed"]),
        *_named("unrouted dispatches", [str(evidence.unrouted)] if evidence.unrouted else []),
        *_named("attempts do not add up", [_of(each) for each in evidence.deliveries if not _adds_up(each)]),
        *_named("count of the LMS", _disagreements(evidence)),
        *_named("chaos could not", list(failures)),
    ]
    return Verdict(
        events=len(evidence.ledger),
        accepted=len(accepted),
        in_effect=in_effect,
        doubled=len(doubles),
        lost=len(lost),
        states=states,
        unrouted=evidence.unrouted,
        failed=failed,
        recovery=_recovery(evidence, done),
        problems=tuple(problems),
    )


def wrong_answers(answers: Mapping[str, int]) -> list[str]:
    """What a provider must never be answered: a valid event is taken (200), or to be sent again (503). `answers` counts
    by status, or by the name of the error where there was none."""
    return [
        f"be answered in a known way: {count} sendings were answered {answer}"
        for answer, count in sorted(answers.items())
        if answer.isdigit() and answer not in {"200", "503"}
    ]


def _missing(evidence: Evidence, event_id: str, purchase: Purchase) -> Iterator[str]:
    """What must be there for an accepted event, and is not."""
    number = purchase.order_number
    if event_id not in evidence.inbox:
        yield "no row in the inbox"
    for fact in _facts_of(purchase):
        if not evidence.facts[fact]:
            yield f"no {fact[0]}" + (f" of line {fact[2]}" if fact[2] else "")
    for course in purchase.courses:
        if (purchase.username, course) not in evidence.enrolled:
            yield f"not enrolled in {course}"
    if not evidence.mails[number]:
        yield "no mail"


def _facts_of(purchase: Purchase) -> Iterator[tuple[str, str, int | None]]:
    yield ("payment_captured", purchase.order_number, None)
    yield ("order_placed", purchase.order_number, None)
    for number in range(1, len(purchase.courses) + 1):
        yield ("enrollment_requested", purchase.order_number, number)
        yield ("lms_learner_enrolled", purchase.order_number, number)


def _doubles(evidence: Evidence) -> Iterator[str]:
    """One line for each effect above the first, and for each that nobody asked for."""
    wanted = {line.planned.purchase for line in evidence.ledger.values()}
    pairs = {(purchase.username, course) for purchase in wanted for course in purchase.courses}
    facts = {fact for purchase in wanted for fact in _facts_of(purchase)}
    for (user, course), count in evidence.lms_changes.items():
        allowed = 1 if (user, course) in pairs else 0
        yield from [f"the LMS was changed {count} times for {user} in {course}"] * (count - allowed)
    for fact, count in evidence.facts.items():
        allowed = 1 if fact in facts else 0
        yield from [f"{count} dispatches of {fact[0]} {fact[1]} {fact[2] or ''}".rstrip()] * (count - allowed)


def _adds_up(delivery: DeliveryRow) -> bool:
    """Each try that began has ended, in a row of its own, and the one that succeeded is the last."""
    if delivery.state != "succeeded":
        return True  # a problem anyway
    return delivery.attempts == delivery.attempts_ended and delivery.attempts_succeeded == 1


def _disagreements(evidence: Evidence) -> list[str]:
    """The LMS is killed too: its enrolments and the calls that it counted must tell the same story."""
    return [f"{user} in {course}" for user, course in sorted(evidence.enrolled ^ set(evidence.lms_changes))]


def _recovery(evidence: Evidence, done: Sequence[Done]) -> dict[str, Recovery]:
    """By kind, the longest time from a fault's end until every purchase under way at that moment was in effect."""
    spans = list(_under_way(evidence))
    longest: dict[str, list[float | None]] = defaultdict(list)
    for each in done:
        ends = [end for start, end in spans if start <= each.ended_at and (end is None or end > each.ended_at)]
        open_ends = any(end is None for end in ends)
        longest[each.fault.kind].append(
            None if open_ends else max((end - each.ended_at for end in ends if end is not None), default=0.0)
        )
    return {
        kind: Recovery(
            faults=len(times),
            longest=None if None in times else max(time for time in times if time is not None),
        )
        for kind, times in sorted(longest.items())
    }


def _under_way(evidence: Evidence) -> Iterator[tuple[float, float | None]]:
    """(first sent, in effect) of each purchase, in Unix seconds; None where it never came to that."""
    starts: dict[str, float] = {}
    ends: dict[str, float | None] = {}
    for line in evidence.ledger.values():
        number = line.planned.purchase.order_number
        if line.first_sent_at is None:
            continue
        starts[number] = min(starts.get(number, line.first_sent_at), line.first_sent_at)
        ends[number] = _later(ends.get(number, 0.0), line.accepted_at)
    for each in evidence.deliveries:
        if each.order_number in ends:
            ends[each.order_number] = _later(ends[each.order_number], each.settled_at)
    for number, start in starts.items():
        yield start, ends[number]


def _later(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _by_order(deliveries: Sequence[DeliveryRow]) -> dict[str, list[DeliveryRow]]:
    found: dict[str, list[DeliveryRow]] = defaultdict(list)
    for each in deliveries:
        found[each.order_number].append(each)
    return found


def _of(delivery: DeliveryRow) -> str:
    error = f" ({delivery.error_class})" if delivery.error_class else ""
    return f"{delivery.order_number} {delivery.receiver} is {delivery.state}{error}, {delivery.id}"


def _named(what: str, found: Sequence[str]) -> Iterator[str]:
    yield from (f"{what}: {each}" for each in found[:NAMED])
    if len(found) > NAMED:
        yield f"{what}: and {len(found) - NAMED} more"


# --- The table ---

CAPTION = (
    "Recovery: the longest time from the end of such a fault until every purchase that was under way at that moment\n"
    "was in effect. Faults that came meanwhile are part of it. A server's fault ends when it answers again."
)


def table(verdict: Verdict) -> str:
    """The one table at the end."""
    left = {state: verdict.states[state] for state in OPEN}
    rows = [
        ("events", verdict.events),
        ("accepted", verdict.accepted),
        ("in effect", verdict.in_effect),
        ("doubled", verdict.doubled),
        ("dead", verdict.states["dead"]),
        ("lost", verdict.lost),
        *left.items(),
        ("unrouted", verdict.unrouted),
        ("failed", verdict.failed),
    ]
    lines = [f"  {name:<34}{value:>8}" for name, value in rows]
    lines += ["", f"  {'fault':<34}{'times':>8}{'longest recovery':>20}"]
    for kind, recovery in verdict.recovery.items():
        longest = "not recovered" if recovery.longest is None else f"{recovery.longest:.1f} s"
        lines.append(f"  {kind:<34}{recovery.faults:>8}{longest:>20}")
    return "\n".join([*lines, "", CAPTION])
