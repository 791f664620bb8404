"""Waiting, running and replays of one delivery on the line of time: rows that no database has seen."""

from datetime import timedelta
from typing import Any

from commerce_coordinator.console.admin.calls import calls, count
from commerce_coordinator.console.admin.tries import by_generation, tries
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, OperatorAct
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.trace import DeliveryNode

from .test_admin_rows import AT

State = Delivery.State


def after(seconds: float) -> Any:
    return AT + timedelta(seconds=seconds)


def node(*attempts: Attempt, **values: Any) -> DeliveryNode:
    values = {"kind": "task", "state": State.SUCCEEDED, "created_at": AT, "attempts": len(attempts), **values}
    return DeliveryNode(delivery=Delivery(**values), attempts=list(attempts))


def attempt(number: int, start: float, end: float, outcome: str = "retry", generation: int = 0) -> Attempt:
    return Attempt(generation=generation, number=number, outcome=outcome, started_at=after(start), ended_at=after(end))


def told(found: DeliveryNode, *acts: OperatorAct, now: float = 100) -> list[tuple[str, str]]:
    """(state, words of the bar) of each try."""
    at = after(now)
    return [
        (each.outcome, "; ".join(piece.words for piece in each.pieces(at))) for each in tries(found, list(acts), at)
    ]


def test_gaps_are_told_as_queue_and_as_wait_for_the_next_try() -> None:
    found = node(attempt(1, 0.05, 0.07), attempt(2, 30.07, 30.09, "succeeded"))
    assert told(found) == [
        ("retry", "waited 50 ms in the queue; retry after 20 ms"),
        ("succeeded", "waited 30 s for the next try; succeeded after 20 ms"),
    ]


def test_a_pending_one_waits_until_now() -> None:
    assert told(node(state=State.PENDING)) == [("pending", "waiting 1 min 40 s in the queue")]
    found = node(attempt(1, 0, 40), state=State.PENDING)
    assert told(found)[1] == ("pending", "waiting 1 min for the next try")


def test_a_running_one_has_a_line_before_its_row_is_written() -> None:
    key = uuid7()
    found = node(state=State.RUNNING, attempts=1, claimed_at=after(2), claim_id=key)
    assert told(found, now=5) == [("running", "waited 2 s in the queue; running for 3 s")]
    assert tries(found, [], after(5))[0].key == key


def test_a_replay_waits_from_the_persons_act_and_not_from_the_failure_before() -> None:
    found = node(attempt(1, 0, 1, "dead"), attempt(1, 90, 91, "succeeded", 1), generation=1)
    act = OperatorAct(kind="replayed", generation=1, acted_at=after(88))
    assert told(found, act)[1] == ("succeeded", "waited 2 s in the queue; succeeded after 1 s")
    assert told(found)[1] == ("succeeded", "succeeded after 1 s")
    assert [(number, len(group)) for number, group in by_generation(tries(found, [act], after(100)))] == [
        (0, 1),
        (1, 1),
    ]


def test_an_inline_receivers_delivery_is_its_only_record() -> None:
    found = node(kind="inline", state=State.DEAD, settled_at=after(0.5))
    assert told(found) == [("dead", "dead after 500 ms")]


def test_calls_hang_below_the_step_that_made_them() -> None:
    kept = [
        {"step": "shop.steps.Prices", "outcome": "answered", "ms": 5, "inside": 2, "at": "2026-03-01T12:00:00Z"},
        {"step": "shop.steps.Inner", "outcome": "failed", "error": "KeyError", "ms": 3, "inside": 1},
        {"method": "GET", "path": "/prices", "status": 200, "ms": 2},
        {"method": "POST", "path": "/mail/a@b.example", "error": "ReadTimeout", "ms": 1.5},
        "of another version",
    ]
    outer, last = calls(kept)
    assert (outer.name, outer.inside[0].name, outer.inside[0].inside[0].name) == (
        "shop.Prices",
        "shop.Inner",
        "GET /prices",
    )
    assert [outer.failed, outer.inside[0].failed, last.failed] == [False, True, True]
    assert count([outer, last]) == 4
    assert "a@b.example" not in last.name
    assert (outer.start is None, last.start is None) == (False, True)
    assert calls("of another version") == []
