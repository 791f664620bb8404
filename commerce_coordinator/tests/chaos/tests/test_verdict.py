"""The verdict can fail: whatever breaks a promise is found, and named."""

import dataclasses
from collections import Counter
from typing import Any

import pytest

from commerce_coordinator.tests.chaos.breaking import Done
from commerce_coordinator.tests.chaos.evidence import DeliveryRow, Evidence
from commerce_coordinator.tests.chaos.faults import Fault
from commerce_coordinator.tests.chaos.sender import Sent
from commerce_coordinator.tests.chaos.stream import PlannedEvent, Purchase
from commerce_coordinator.tests.chaos.verdict import Verdict, judge, table, wrong_answers

COURSE = "course-v1:DemoX+Baking+2026"
PURCHASE = Purchase(order_number="EDX-1", payment_id="pi_1", username="learner-1", courses=(COURSE,))
ENROLL = DeliveryRow(
    id="d1", order_number="EDX-1", receiver="enroll_learner", state="succeeded", error_class="", settled_at=112.0
)


def evidence(**changes: Any) -> Evidence:
    """One event, accepted at 101 and in effect at 112; with changes."""
    planned = PlannedEvent(event_id="evt_1", purchase=PURCHASE, at=(0.0,))
    whole = Evidence(
        ledger={"evt_1": Sent(planned, first_sent_at=100.0, accepted_at=101.0, sendings=1, answers_2xx=1)},
        inbox={"evt_1": "sent"},
        facts=Counter(
            {
                ("payment_captured", "EDX-1", None): 1,
                ("order_placed", "EDX-1", None): 1,
                ("enrollment_requested", "EDX-1", 1): 1,
                ("lms_learner_enrolled", "EDX-1", 1): 1,
            }
        ),
        unrouted=0,
        deliveries=(ENROLL,),
        lms_changes=Counter({("learner-1", COURSE): 1}),
        enrolled=frozenset({("learner-1", COURSE)}),
        mails=Counter({"EDX-1": 1}),
    )
    return dataclasses.replace(whole, **changes)


def judged(**changes: Any) -> Verdict:
    return judge(evidence(**changes), [])


def enroll(**changes: Any) -> tuple[DeliveryRow, ...]:
    return (dataclasses.replace(ENROLL, **changes),)


def test_all_is_well() -> None:
    verdict = judged()
    assert verdict.is_kept
    assert (verdict.accepted, verdict.in_effect, verdict.lost, verdict.doubled) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"inbox": {}}, "no row in the inbox"),
        ({"facts": Counter()}, "no payment_captured"),
        ({"enrolled": frozenset(), "lms_changes": Counter()}, "not enrolled"),
        ({"mails": Counter()}, "no mail"),
    ],
)
def test_accepted_and_without_effect_is_lost(changes: dict[str, Any], word: str) -> None:
    verdict = judged(**changes)
    assert (verdict.lost, verdict.in_effect) == (1, 0)
    assert any(word in problem for problem in verdict.problems)


@pytest.mark.parametrize(
    "changes",
    [
        {"lms_changes": Counter({("learner-1", COURSE): 2})},
        {"lms_changes": Counter({("learner-1", COURSE): 1, ("learner-2", COURSE): 1})},
        {"facts": evidence().facts + Counter({("order_placed", "EDX-1", None): 1})},
        {"facts": evidence().facts + Counter({("order_placed", "EDX-2", None): 1})},
    ],
    ids=["LMS changed twice", "LMS changed for another", "two dispatches of a fact", "a fact nobody told of"],
)
def test_doubled(changes: dict[str, Any]) -> None:
    verdict = judged(**changes)
    assert verdict.doubled == 1
    assert not verdict.is_kept


@pytest.mark.parametrize("state", ["pending", "running", "dead", "cancelled"])
def test_delivery_that_did_not_succeed_is_no_loss_but_a_problem(state: str) -> None:
    nothing_on_lms = {"enrolled": frozenset(), "lms_changes": Counter()}
    verdict = judged(deliveries=enroll(state=state, error_class="Retry", settled_at=None), **nothing_on_lms)
    assert (verdict.lost, verdict.in_effect, verdict.states[state]) == (0, 0, 1)
    assert any(f"is {state} (Retry)" in problem for problem in verdict.problems)


def test_failed_event_is_no_loss_but_a_problem() -> None:
    verdict = judged(inbox={"evt_1": "failed"}, facts=Counter())
    assert (verdict.lost, verdict.failed) == (0, 1)
    assert not verdict.is_kept


def test_unrouted_dispatch_is_a_problem() -> None:
    assert not judged(unrouted=1).is_kept


def test_event_that_never_got_a_2xx_is_a_problem_and_no_loss() -> None:
    line = dataclasses.replace(evidence().ledger["evt_1"], accepted_at=None)
    verdict = judged(ledger={"evt_1": line}, inbox={}, facts=Counter())
    assert (verdict.accepted, verdict.lost) == (0, 0)
    assert verdict.problems[0].startswith("never accepted")


def test_lms_whose_count_and_enrolments_differ_proves_nothing() -> None:
    verdict = judged(lms_changes=Counter())
    assert any(problem.startswith("count of the LMS") for problem in verdict.problems)


@pytest.mark.parametrize(
    "counts",
    [
        {"attempts": 2, "attempts_ended": 1},
        {"attempts": 2, "attempts_ended": 2, "attempts_succeeded": 2},
        {"attempts": 1, "attempts_ended": 1, "attempts_succeeded": 0},
    ],
    ids=["one that never ended", "two that succeeded", "none that succeeded"],
)
def test_attempts_must_add_up(counts: dict[str, int]) -> None:
    verdict = judged(deliveries=enroll(**counts))
    assert [problem.partition(":")[0] for problem in verdict.problems] == ["attempts do not add up"]


def test_fault_that_could_not_be_done_proves_nothing() -> None:
    assert not judge(evidence(), [], ["broker wiped: TimeoutError"]).is_kept


def test_many_doubles_of_one_thing_are_counted_and_told_once() -> None:
    verdict = judged(lms_changes=Counter({("learner-1", COURSE): 100}))
    assert verdict.doubled == 99
    assert len([problem for problem in verdict.problems if problem.startswith("doubled")]) == 1


def test_some_of_many_are_named_and_the_others_counted() -> None:
    verdict = judge(evidence(), [], [f"fault {number}" for number in range(25)])
    assert len(verdict.problems) == 11
    assert verdict.problems[-1] == "chaos could not: and 15 more"


def done(ended_at: float, kind: str = "broker wiped") -> Done:
    return Done(fault=Fault(at=0, seconds=0, kind=kind, target="broker"), began_at=ended_at, ended_at=ended_at)


@pytest.mark.parametrize(
    ("ended_at", "longest"), [(99.0, 0.0), (100.5, 11.5), (110.0, 2.0), (112.0, 0.0), (500.0, 0.0)]
)
def test_recovery_is_until_what_was_under_way_is_in_effect(ended_at: float, longest: float) -> None:
    recovery = judge(evidence(), [done(ended_at)]).recovery["broker wiped"]
    assert (recovery.faults, recovery.longest) == (1, longest)


def test_longest_recovery_of_a_kind_counts() -> None:
    recovery = judge(evidence(), [done(110.0), done(104.0), done(111.0)]).recovery["broker wiped"]
    assert (recovery.faults, recovery.longest) == (3, 8.0)


def test_what_never_came_into_effect_is_no_recovery() -> None:
    verdict = judge(evidence(deliveries=enroll(state="running", settled_at=None)), [done(105.0)])
    assert verdict.recovery["broker wiped"].longest is None
    assert "not recovered" in table(verdict)


def test_table_names_every_fate() -> None:
    text = table(judge(evidence(), [done(110.0)]))
    for word in ("accepted", "in effect", "doubled", "dead", "lost", "pending", "running", "unrouted", "failed"):
        assert f"\n  {word} " in text
    assert "broker wiped" in text


def test_an_answer_that_no_provider_must_get_is_a_problem() -> None:
    assert wrong_answers({"200": 900, "503": 40, "ConnectionError": 3}) == []
    (problem,) = wrong_answers({"200": 900, "500": 2})
    assert "2 sendings were answered 500" in problem
