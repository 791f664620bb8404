"""Unenrolling, entitlements and accounts on an LMS over HTTP; and what each delivery tells of its end."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries, sent
from commerce_coordinator.payloads.enrollments import EnrollmentRequested, EntitlementRequested, RevocationRequested
from commerce_coordinator.payloads.people import AccountDeactivationRequested

from .. import signals, tasks
from .fake_lms import Answer, FakeLms, html, refusal

pytestmark = pytest.mark.django_db
database = pytest.mark.database

USER = "ann-the-learner"
COURSE = "course-v1:DemoX+Baking+2026"
COURSE_UUID = "0c2a4b1e-5a0f-4f43-9f5c-3d1f5a6f7b8c"
THERE = (USER, COURSE)
LINE: dict[str, Any] = {"order_number": "EDX-1", "line_number": 2, "username": USER, "mode": "verified"}
RUN = {**LINE, "course_key": COURSE}
ENTITLEMENT = {**LINE, "course_uuid": COURSE_UUID}
OUTCOMES = (
    signals.lms_learner_enrolled,
    signals.lms_learner_unenrolled,
    signals.entitlement_granted,
    signals.entitlement_revoked,
    signals.enrollment_refused,
)

#: Somebody asks, whoever it is: this plugin knows no other.
enrollment = CoordinatorSignal(EnrollmentRequested, subject="order_number", name=f"{__name__}.enrollment")
entitlement = CoordinatorSignal(EntitlementRequested, subject="order_number", name=f"{__name__}.entitlement")
revocation = CoordinatorSignal(RevocationRequested, subject="order_number", name=f"{__name__}.revocation")
deactivation = CoordinatorSignal(AccountDeactivationRequested, name=f"{__name__}.deactivation")
ROUTES = {
    enrollment: ["enroll_learner"],
    entitlement: ["grant_entitlement"],
    revocation: ["unenroll_learner", "revoke_entitlement"],
    deactivation: ["deactivate_account"],
}


@pytest.fixture
def ask(lms: FakeLms) -> Iterator[Any]:
    """`ask(signal, **values)`: send it, run what is due, return the deliveries."""
    routes: dict[str, list[str]] = {signal.name: [] for signal in OUTCOMES}
    for signal, names in ROUTES.items():
        contracts.remember(signal.name, signal.contract)
        routes[signal.name] = [f"{tasks.__name__}.{name}" for name in names]
    with routes_as(routes):

        def send(signal: CoordinatorSignal, **values: Any) -> list[Delivery]:
            signal.send_robust(sender="test", lms_user_id=1313, **values)
            return run_deliveries()

        yield send


def again(delivery: Delivery, **changes: Any) -> Delivery:
    """As after a crash before the end was written, or when it is due."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state="pending", next_attempt_at=delivery.created_at, wake_at=delivery.created_at, **changes
    )
    run_deliveries()
    delivery.refresh_from_db()
    return delivery


# --- Out of a course ---


def test_learner_is_let_out_in_the_mode_that_he_has(lms: FakeLms, ask: Any) -> None:
    lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
    assert {each.state for each in ask(revocation, **RUN)} == {"succeeded"}
    [call] = lms.of("enrol")
    assert call.json == {
        "user": USER,
        "course_details": {"course_id": COURSE},
        "mode": "verified",
        "is_active": False,
    }, "an empty list of attributes would take away those that the enrolment has"
    assert "idempotency-key" in call.headers
    assert [each["course_key"] for each in sent(signals.lms_learner_unenrolled)] == [COURSE]
    assert sent(signals.entitlement_revoked) == []


@pytest.mark.parametrize(
    "found", [None, {"mode": "verified", "is_active": False}, {"mode": "audit", "is_active": True}], ids=str
)
def test_learner_who_is_out_of_what_was_paid_for_is_fine(lms: FakeLms, ask: Any, found: Any) -> None:
    lms.will("look", Answer(body=found))
    assert {each.state for each in ask(revocation, **RUN)} == {"succeeded"}
    assert lms.of("enrol") == []
    assert len(sent(signals.lms_learner_unenrolled)) == 1


def test_learner_who_is_in_by_another_paid_mode_is_left_and_an_operator_told(lms: FakeLms, ask: Any) -> None:
    lms.enrolled[THERE] = {"mode": "credit", "is_active": True}
    states = {each.receiver.rpartition(".")[2]: each for each in ask(revocation, **RUN)}
    assert states["unenroll_learner"].state == "dead"
    assert "in the mode credit" in states["unenroll_learner"].error_text
    assert USER not in states["unenroll_learner"].error_text
    assert lms.enrolled[THERE]["is_active"]
    assert sent(signals.lms_learner_unenrolled) == []


@pytest.mark.parametrize("answer", [html(200), Answer(body={"is_active": True, "mode": "verified"}), Answer(body=[])])
def test_answer_that_does_not_say_that_he_is_out_is_no_success(lms: FakeLms, answer: Answer) -> None:
    lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
    lms.will("enrol", answer)
    with pytest.raises(Retry):
        tasks.unenroll_learner(**RUN)


# --- Entitlements ---


def test_entitlement_is_granted_once_though_its_answer_was_lost(lms: FakeLms, ask: Any) -> None:
    lms.will("entitle", Answer(drop=True, after_effect=True))
    [delivery] = ask(entitlement, **ENTITLEMENT)
    assert delivery.state == "pending"
    assert again(delivery).state == "succeeded"
    [granted] = lms.entitlements
    assert (granted["user"], granted["course_uuid"], granted["mode"]) == (USER, COURSE_UUID, "verified")
    assert granted["order_number"] == "EDX-1"
    [told] = sent(signals.entitlement_granted)
    assert told["entitlement_uuid"] == granted["uuid"]


def test_entitlement_is_found_on_whichever_page(lms: FakeLms) -> None:
    for number in range(7):
        lms.entitlements.append({"user": USER, "uuid": f"{number}", "course_uuid": "another", "order_number": "EDX-1"})
    lms.entitlements.append({**lms.entitlements[0], "uuid": "mine", "course_uuid": COURSE_UUID})
    lms.page_size = 3
    tasks.grant_entitlement(**ENTITLEMENT)
    assert len(lms.of("look for entitlements")) == 3
    assert lms.of("entitle") == []
    assert all(each.path.partition("?")[0].endswith("/entitlements/") for each in lms.of("look for entitlements")), (
        "no address of the answer is followed: the token would go wherever it points"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"order_number": "EDX-2"},
        {"course_uuid": "another"},
        {"expired_at": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_entitlement_of_another_order_or_course_or_that_has_ended_is_not_this_one(lms: FakeLms, other: Any) -> None:
    theirs = {"user": USER, "uuid": "theirs", "course_uuid": COURSE_UUID, "order_number": "EDX-1", "expired_at": None}
    lms.entitlements.append({**theirs, **other})
    tasks.grant_entitlement(**ENTITLEMENT)
    assert len(lms.entitlements) == 2
    tasks.revoke_entitlement(**ENTITLEMENT)
    [ended] = [each.path.rstrip("/").rpartition("/")[2] for each in lms.of("revoke")]
    assert ended == lms.entitlements[1]["uuid"]


def test_entitlement_is_revoked_once_and_none_there_is_fine(lms: FakeLms, ask: Any) -> None:
    ask(entitlement, **ENTITLEMENT)
    assert {each.state for each in ask(revocation, **ENTITLEMENT)} == {"succeeded"}
    assert lms.entitlements[0]["expired_at"]
    assert {each.state for each in ask(revocation, **ENTITLEMENT)} == {"succeeded"}
    assert len(lms.of("revoke")) == 1
    assert len(sent(signals.entitlement_revoked)) == 2, "two revocations were asked for"
    assert sent(signals.lms_learner_unenrolled) == []


@pytest.mark.parametrize("step", ["look for entitlements", "entitle"])
@pytest.mark.parametrize("answer", [html(200), Answer(body={}), Answer(body=[]), Answer(body=7)], ids=str)
def test_page_or_rubbish_instead_of_an_entitlement_is_no_success(lms: FakeLms, step: str, answer: Answer) -> None:
    lms.will(step, answer)
    with pytest.raises(Retry):
        tasks.grant_entitlement(**ENTITLEMENT)
    assert lms.entitlements == []


def test_page_instead_of_a_revocation_is_no_success(lms: FakeLms) -> None:
    tasks.grant_entitlement(**ENTITLEMENT)
    lms.will("revoke", html(200))
    with pytest.raises(Retry):
        tasks.revoke_entitlement(**ENTITLEMENT)


# --- Accounts ---


def test_account_is_closed_as_often_as_asked(lms: FakeLms, ask: Any) -> None:
    for _ in range(2):
        [delivery] = ask(deactivation, username="ann+the/learner")
        assert delivery.state == "succeeded"
    assert lms.deactivated == ["ann+the/learner"] * 2
    assert "ann" not in str(Delivery.objects.latest("id").attempt_rows.latest("id").calls)


@pytest.mark.parametrize("answer", [html(200), Answer(body=[])], ids=str)
def test_page_instead_of_the_account_is_no_success(lms: FakeLms, answer: Answer) -> None:
    lms.will("deactivate", answer)
    with pytest.raises(Retry):
        tasks.deactivate_account(username=USER)


# --- Each answer ends in its class, whichever call got it ---

CALLS = {
    "look": (tasks.unenroll_learner, RUN),
    "enrol": (tasks.unenroll_learner, RUN),
    "look for entitlements": (tasks.grant_entitlement, ENTITLEMENT),
    "entitle": (tasks.grant_entitlement, ENTITLEMENT),
    "revoke": (tasks.revoke_entitlement, ENTITLEMENT),
    "deactivate": (tasks.deactivate_account, {"username": USER}),
}


@pytest.mark.parametrize("step", CALLS)
@pytest.mark.parametrize(
    ("status", "wanted"),
    [(400, GiveUp), (403, GiveUp), (404, GiveUp), (406, Retry), (429, Retry), (500, Retry), (503, Retry), (302, Retry)],
)
@pytest.mark.parametrize("page", [False, True], ids=["json", "page"])
def test_every_answer_ends_in_its_class(lms: FakeLms, step: str, status: int, wanted: type, page: bool) -> None:
    lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
    if step == "revoke":
        tasks.grant_entitlement(**ENTITLEMENT)
    answer = html(status) if page else refusal(status, "The LMS's own words.")
    lms.will(step, Answer(**{**vars(answer), "headers": {"Location": lms.url} if status == 302 else {}}))
    task, values = CALLS[step]
    with pytest.raises(wanted) as raised:
        task(**values)
    assert type(raised.value) is wanted
    if wanted is GiveUp:
        assert ("an HTML page" if page else "The LMS's own words.") in str(raised.value)
    assert len(lms.of(step)) == 1


@pytest.mark.parametrize("step", CALLS)
def test_refused_token_is_renewed_once_for_every_call(lms: FakeLms, step: str) -> None:
    lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
    if step == "revoke":
        tasks.grant_entitlement(**ENTITLEMENT)
    lms.will(step, refusal(401))
    before = lms.tokens
    task, values = CALLS[step]
    task(**values)
    assert len(lms.of(step)) == 2
    assert lms.tokens == before + 1 + (step != "revoke")


# --- A learner whom the LMS does not know ---


@database
@pytest.mark.parametrize(
    ("signal", "values", "step", "answer"),
    [
        (enrollment, RUN, "enrol", Answer(status=406, body={"message": f"The user {USER} does not exist."})),
        (entitlement, ENTITLEMENT, "entitle", Answer(status=400, body={"user": [f"No username={USER}."]})),
    ],
    ids=["enrolment", "entitlement"],
)
def test_learner_unknown_to_the_lms_is_waited_for_then_dead_in_words_that_name_nobody(
    lms: FakeLms, ask: Any, settings: Any, signal: CoordinatorSignal, values: Any, step: str, answer: Answer
) -> None:
    settings.CC_RETRY_SCHEDULE = (100,)
    lms.will(step, answer, answer)
    [delivery] = ask(signal, **values)
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert sent(signals.enrollment_refused) == [], "there is a try left"
    assert again(delivery).state == "dead"
    assert "does not know this learner" in delivery.error_text
    assert USER not in delivery.error_text
    [told] = sent(signals.enrollment_refused)
    assert told["reason"] == delivery.error_text


# --- What is told ---


@database
@pytest.mark.parametrize(
    ("signal", "values", "outcome"),
    [
        (enrollment, RUN, signals.lms_learner_enrolled),
        (revocation, RUN, signals.lms_learner_unenrolled),
        (entitlement, ENTITLEMENT, signals.entitlement_granted),
        (revocation, ENTITLEMENT, signals.entitlement_revoked),
    ],
    ids=["enrolled", "unenrolled", "granted", "revoked"],
)
def test_outcome_is_told_once_though_the_task_runs_twice(
    lms: FakeLms, ask: Any, signal: CoordinatorSignal, values: Any, outcome: CoordinatorSignal
) -> None:
    if signal is revocation:
        lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
        tasks.grant_entitlement(**ENTITLEMENT)
        Dispatch.objects.all().delete()
    for delivery in ask(signal, **values):
        again(delivery)  # it died after it had told, before its end was written
    [told] = sent(outcome)
    assert (told["order_number"], told["line_number"], told["lms_user_id"]) == ("EDX-1", 2, 1313)
    assert not Dispatch.objects.filter(unrouted=True).exists()


@pytest.mark.parametrize("status", [400, 403, 404])
def test_refusal_for_good_is_told_at_once_and_once(lms: FakeLms, ask: Any, status: int) -> None:
    lms.will("enrol", *[refusal(status, "The course is full.")] * 2)
    [delivery] = ask(enrollment, **RUN)
    again(delivery)
    [told] = sent(signals.enrollment_refused)
    assert (told["course_key"], told["reason"]) == (COURSE, f"The far side answered {status}: The course is full.")
    assert sent(signals.lms_learner_enrolled) == []


def test_last_try_that_fails_by_itself_is_told_without_its_text(
    lms: FakeLms, ask: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CC_RETRY_SCHEDULE = ()
    monkeypatch.setattr(tasks, "lms_client", lambda: {}[USER])
    [delivery] = ask(enrollment, **RUN)
    assert delivery.state == "dead"
    [told] = sent(signals.enrollment_refused)
    assert told["reason"] == "It failed by KeyError."


@pytest.mark.django_db(transaction=True)  # as in a worker: inside a test's own transaction sending looks first
def test_enrolment_costs_four_statements_and_those_of_its_outcome(lms: FakeLms, ask: Any) -> None:
    ask(enrollment, **{**RUN, "course_key": f"{COURSE}x"})  # the token, and what is asked for once
    enrollment.send_robust(sender="test", lms_user_id=1313, **RUN)
    [delivery] = Delivery.objects.filter(state="pending")
    with CaptureQueriesContext(connection) as captured:
        assert deliver(delivery.pk.hex) == "succeeded"
    statements = [each["sql"] for each in captured if each["sql"] not in {"BEGIN", "BEGIN IMMEDIATE", "COMMIT"}]
    assert len(statements) == 4 + 1, "\n".join(statements)


# --- Credit ---


def test_credit_carries_its_provider(lms: FakeLms, ask: Any) -> None:
    ask(enrollment, **{**RUN, "mode": "credit", "credit_provider": "asu"})
    [call] = lms.of("enrol")
    assert {"namespace": "credit", "name": "provider_id", "value": "asu"} in call.json["enrollment_attributes"]
