"""Enrolling on an LMS over HTTP: look first, act once, and tell what may pass from what will not heal."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries
from commerce_coordinator.payloads.enrollments import EnrollmentRequested

from ..client import lms_client
from ..signals import enrollment_refused, lms_learner_enrolled
from ..tasks import enroll_learner
from .conftest import forget_client
from .fake_lms import ENROLLMENT, Answer, FakeLms, html, refusal

pytestmark = pytest.mark.django_db

database = pytest.mark.database

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COURSE = "course-v1:DemoX+Baking+2026"
WISH: dict[str, Any] = {
    "order_number": "EDX-1",
    "line_number": 2,
    "username": "ann-the-learner",
    "course_key": COURSE,
    "mode": "verified",
}
THERE = ("ann-the-learner", COURSE)

#: Somebody is to be enrolled, whoever says so: this plugin knows no other.
wanted = CoordinatorSignal(EnrollmentRequested, subject="order_number", name=f"{__name__}.wanted")


@pytest.fixture
def enrol(lms: FakeLms, db: None) -> Iterator[Any]:
    """`enrol(course_key=...)`: ask for an enrolment, run what is due, return the delivery."""
    contracts.remember(wanted.name, EnrollmentRequested)
    nobody = {signal.name: [] for signal in (lms_learner_enrolled, enrollment_refused)}
    with routes_as({wanted.name: [f"{enroll_learner.__module__}.enroll_learner"], **nobody}):

        def ask(**changes: Any) -> Delivery:
            [(_, delivery)] = wanted.send_robust(sender="test", lms_user_id=1313, **{**WISH, **changes})
            run_deliveries()
            delivery.refresh_from_db()
            assert isinstance(delivery, Delivery)
            return delivery

        yield ask


def try_again(delivery: Delivery) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.created_at)
    run_deliveries()
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def impatient(settings: Any) -> None:
    settings.CC_LMS_READ_TIMEOUT = 0.05


# --- Look first, act once ---


@database
def test_learner_is_enrolled_by_one_call_after_a_look(lms: FakeLms, enrol: Any) -> None:
    delivery = enrol()
    assert (delivery.state, delivery.attempts) == ("succeeded", 1)
    assert lms.kinds == ["token", "look", "enrol"]
    assert lms.enrolled[THERE] == {"mode": "verified", "is_active": True, "user": "ann-the-learner"}


def test_what_is_asked_is_in_the_lms_own_words(lms: FakeLms) -> None:
    enroll_learner(**WISH)
    [look], [enrol], [token] = lms.of("look"), lms.of("enrol"), lms.of("token")
    assert look.path == f"{ENROLLMENT}/ann-the-learner,course-v1%3ADemoX%2BBaking%2B2026"
    assert enrol.json == {
        "user": "ann-the-learner",
        "course_details": {"course_id": COURSE},
        "mode": "verified",
        "is_active": True,
        "enrollment_attributes": [
            {"namespace": "order", "name": "order_number", "value": "EDX-1"},
            {"namespace": "order", "name": "order_id", "value": "EDX-1"},
            {"namespace": "order", "name": "line_item_id", "value": "EDX-1-2"},
        ],
    }
    assert enrol.headers["content-type"] == "application/json"
    assert token.form == {
        "grant_type": "client_credentials",
        "client_id": "coordinator",
        "client_secret": "lms-secret",
        "token_type": "jwt",
    }
    for call in (look, enrol):
        assert call.headers["authorization"] == "JWT token-1"
        assert call.headers["accept"] == "application/json"


@pytest.mark.parametrize("username", ["ann+test@example", "zoë", "ann bob", "50%", "a?b#c", "a;b"])
def test_any_name_reaches_the_lms_whole(lms: FakeLms, username: str) -> None:
    lms.enrolled[username, COURSE] = {"mode": "verified", "is_active": True}
    enroll_learner(**{**WISH, "username": username})
    assert lms.kinds == ["token", "look"]


def test_learner_who_is_in_already_is_left_alone(lms: FakeLms) -> None:
    lms.enrolled[THERE] = {"mode": "verified", "is_active": True}
    enroll_learner(**WISH)
    assert lms.kinds == ["token", "look"]


@pytest.mark.parametrize(
    "found",
    [
        None,
        {},
        [],
        {"mode": "verified", "is_active": False},
        {"mode": "audit", "is_active": True},
        {"mode": "audit", "is_active": False},
        {"mode": "verified"},
    ],
    ids=str,
)
def test_learner_who_is_not_in_as_wished_is_enrolled(lms: FakeLms, found: Any) -> None:
    lms.will("look", Answer(body=found))
    enroll_learner(**WISH)
    assert lms.kinds == ["token", "look", "enrol"]


def test_look_answered_with_blanks_alone_found_nobody(lms: FakeLms) -> None:
    lms.will("look", Answer(body=b" \n"))
    enroll_learner(**WISH)
    assert lms.kinds == ["token", "look", "enrol"]


@database
@pytest.mark.parametrize("lost", [Answer(drop=True, after_effect=True), html(504, after_effect=True)], ids=str)
def test_call_whose_answer_was_lost_is_not_made_again(lms: FakeLms, enrol: Any, lost: Answer) -> None:
    lms.will("enrol", lost)
    delivery = enrol()
    assert delivery.state == "pending"
    assert try_again(delivery).state == "succeeded"
    assert lms.kinds == ["token", "look", "enrol", "look"]


@database
def test_forced_replay_looks_first_too(lms: FakeLms, enrol: Any) -> None:
    replay(enrol(), force=True)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert lms.kinds == ["token", "look", "enrol", "look"]


# --- What will not heal ---


@database
@pytest.mark.parametrize("step", ["look", "enrol"])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_refusal_for_good_is_given_up_with_what_the_lms_said(lms: FakeLms, enrol: Any, step: str, status: int) -> None:
    lms.will(step, refusal(status, "The course is full."))
    delivery = enrol()
    assert (delivery.state, delivery.attempts, delivery.error_class) == ("dead", 1, "GiveUp")
    assert delivery.error_text == f"The far side answered {status}: The course is full."
    assert len(lms.of(step)) == 1
    assert THERE not in lms.enrolled


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"message": "No such course."}, "No such course."),
        ({"detail": "Not allowed."}, "Not allowed."),
        ({"developer_message": "A bad key."}, "A bad key."),
        ({"message": ["not", "a", "text"], "detail": "But this is."}, "But this is."),
        ({"mode": ["Unknown."]}, "{'mode': ['Unknown.']}"),
        (["Full."], "['Full.']"),
        (b"plain\n  words", "plain words"),
        (b"", "no text"),
        (None, "no text"),
        ({"message": "x" * 5000}, "x" * 1000),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_the_lms_said_is_kept_in_whatever_form(lms: FakeLms, body: Any, kept: str) -> None:
    lms.will("enrol", Answer(status=400, body=body))
    with pytest.raises(GiveUp) as given_up:
        enroll_learner(**WISH)
    assert str(given_up.value) == f"The far side answered 400: {kept}"


def test_page_of_a_proxy_is_not_kept(lms: FakeLms) -> None:
    lms.will("enrol", html(403))
    with pytest.raises(GiveUp, match="answered 403: an HTML page"):
        enroll_learner(**WISH)


# --- What may pass ---

PASSING = [401, 406, 408, 409, 425, 429, 500, 502, 503, 504, 599]


@database
@pytest.mark.parametrize("step", ["look", "enrol"])
@pytest.mark.parametrize("answer", [refusal(status) for status in PASSING[1:]] + [html(503)], ids=str)
def test_refusal_that_may_pass_is_tried_again(lms: FakeLms, enrol: Any, step: str, answer: Answer) -> None:
    lms.will(step, answer)
    delivery = enrol()
    assert (delivery.state, delivery.attempts, delivery.error_class) == ("pending", 1, "Retry")
    assert len(lms.of(step)) == 1
    assert try_again(delivery).state == "succeeded"
    assert lms.enrolled[THERE]["is_active"]


@database
@pytest.mark.parametrize("step", ["token", "look", "enrol"])
def test_silent_lms_is_tried_again(lms: FakeLms, enrol: Any, impatient: None, step: str) -> None:
    lms.will(step, Answer(hang=True))
    delivery = enrol()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert delivery.error_text.endswith("ReadTimeout.")


@database
@pytest.mark.parametrize("step", ["token", "look", "enrol"])
def test_broken_connection_is_tried_again(lms: FakeLms, enrol: Any, step: str) -> None:
    lms.will(step, Answer(drop=True))
    delivery = enrol()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert try_again(delivery).state == "succeeded"


@database
def test_lms_that_is_not_there_is_tried_again(lms: FakeLms, enrol: Any, settings: Any) -> None:
    with socket.socket() as bound:  # bound, but nobody listens
        bound.bind(("127.0.0.1", 0))
        settings.CC_LMS_URL_ROOT = f"http://127.0.0.1:{bound.getsockname()[1]}/lms"
        delivery = enrol()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert delivery.error_text == "No answer from the far side: ConnectionError."


def test_page_instead_of_the_look_is_no_enrolment(lms: FakeLms) -> None:
    lms.will("look", html(200))
    with pytest.raises(Retry, match="not JSON"):
        enroll_learner(**WISH)
    assert lms.of("enrol") == []


def test_page_instead_of_the_enrolment_is_no_success(lms: FakeLms) -> None:
    # What a proxy or a log-in page answers with 200 enrolled nobody.
    lms.will("enrol", html(200))
    with pytest.raises(Retry):
        enroll_learner(**WISH)


@pytest.mark.parametrize("step", ["look", "enrol"])
@pytest.mark.parametrize("status", [301, 302, 303])
def test_redirect_is_no_success(lms: FakeLms, step: str, status: int) -> None:
    # A client that follows it turns the POST into a GET, which enrols nobody and is answered 200.
    lms.will(step, Answer(status=status, headers={"Location": f"{lms.url}/maintenance"}))
    with pytest.raises(Retry):
        enroll_learner(**WISH)
    assert THERE not in lms.enrolled


# --- How long to wait ---


@database
@pytest.mark.parametrize("status", [429, 503])
def test_lms_that_asks_for_time_gets_some(lms: FakeLms, enrol: Any, settings: Any, status: int) -> None:
    settings.CC_RETRY_SCHEDULE = (100, 100)
    lms.will("look", refusal(status, Retry_After="170"))
    with time_machine.travel(NOON, tick=False):
        delivery = enrol()
    assert delivery.next_attempt_at == NOON + timedelta(seconds=170)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Sun, 99 Foo 2026 12:02:00 GMT", None),
        ("Sun, 01 Mar 2026 12:02:00", None),
    ],
)
def test_time_asked_for_is_understood_in_both_forms(lms: FakeLms, header: str, seconds: float | None) -> None:
    lms.will("look", refusal(429, Retry_After=header.encode().decode("latin-1")))
    with time_machine.travel(NOON, tick=False), pytest.raises(Retry) as retry:
        enroll_learner(**WISH)
    assert retry.value.after == seconds


# --- The token ---


@database
def test_token_is_fetched_once_for_several_enrolments(lms: FakeLms, enrol: Any) -> None:
    for number in range(3):
        assert enrol(course_key=f"course-v1:X+{number}+1").state == "succeeded"
    assert lms.kinds == ["token"] + ["look", "enrol"] * 3


@pytest.mark.parametrize("step", ["look", "enrol"])
def test_token_that_is_not_taken_is_renewed_once(lms: FakeLms, step: str) -> None:
    enroll_learner(**{**WISH, "course_key": "course-v1:X+Other+1"})
    lms.will(step, refusal(401))
    lms.calls.clear()
    enroll_learner(**WISH)
    again = {"look": ["look", "token", "look", "enrol"], "enrol": ["look", "enrol", "token", "enrol"]}
    assert lms.kinds == again[step]
    assert lms.of("enrol")[-1].headers["authorization"] == "JWT token-2"
    assert lms.enrolled[THERE]["is_active"]


@database
def test_lms_that_takes_no_token_at_all_is_tried_again(lms: FakeLms, enrol: Any) -> None:
    lms.will("look", refusal(401, "Who are you?"), refusal(401, "Who are you?"))
    delivery = enrol()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert lms.kinds == ["token", "look", "token", "look"]
    assert [call["status"] for call in Attempt.objects.get().calls] == [401, 401]
    assert try_again(delivery).state == "succeeded"


def test_token_is_renewed_when_it_has_run_out(lms: FakeLms) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enroll_learner(**WISH)
        clock.shift(timedelta(minutes=59))
        enroll_learner(**WISH)
        assert lms.tokens == 1
        clock.shift(timedelta(minutes=1))
        enroll_learner(**WISH)
        assert lms.tokens == 2


@database
@pytest.mark.parametrize(
    "answer",
    [
        refusal(401, "invalid_client"),
        refusal(429),
        refusal(500),
        html(502),
        html(200),
        Answer(body={}),
        Answer(body={"error": "no"}),
        Answer(body={"access_token": "token-1"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["look", "enrol"])
def test_token_call_that_brings_none_is_no_answer_to_ours(lms: FakeLms, enrol: Any, step: str, answer: Answer) -> None:
    """Whatever the token call says: nobody was looked up, and nobody enrolled."""
    if step == "enrol":
        enrol(course_key="course-v1:X+Other+1")
        lms.calls.clear()
        lms.will("enrol", refusal(401))
    lms.will("token", answer, answer)
    delivery = enrol()
    assert delivery.state == "pending"
    assert THERE not in lms.enrolled
    lms.answers["token"].clear()
    assert try_again(delivery).state == "succeeded"
    assert lms.enrolled[THERE]["is_active"]


# --- What is sent along, and what is kept ---


@database
def test_calls_carry_the_trace_and_the_key_of_the_delivery(lms: FakeLms, enrol: Any) -> None:
    delivery = enrol()
    [look], [call] = lms.of("look"), lms.of("enrol")
    assert call.headers["idempotency-key"] == delivery.idempotency_key
    assert "idempotency-key" not in look.headers
    trace_id = delivery.dispatch.trace_id
    assert {each.headers["x-request-id"] for each in (look, call)} == {trace_id}
    spans = [each.headers["traceparent"].split("-") for each in (look, call)]
    assert {(version, trace, flags) for version, trace, _, flags in spans} == {("00", trace_id, "01")}
    kept = Attempt.objects.get().calls
    assert [span for _, _, span, _ in spans] == [each["span_id"] for each in kept]


@database
def test_key_is_the_same_for_every_try_and_new_for_a_forced_replay(lms: FakeLms, enrol: Any) -> None:
    lms.will("enrol", refusal(503), refusal(400))
    delivery = try_again(enrol())
    assert delivery.state == "dead"
    replay(delivery)
    run_deliveries()
    keys = [call.headers["idempotency-key"] for call in lms.of("enrol")]
    assert keys == [delivery.idempotency_key] * 3
    lms.enrolled.clear()
    delivery.refresh_from_db()
    replay(delivery, force=True)
    run_deliveries()
    assert lms.of("enrol")[-1].headers["idempotency-key"] not in keys


@database
def test_calls_are_kept_without_the_learners_name(lms: FakeLms, enrol: Any) -> None:
    enrol()
    attempt = Attempt.objects.get()
    look, call = attempt.calls
    assert (look["method"], look["status"]) == ("GET", 200)
    assert look["path"] == f"{ENROLLMENT}/{{username}},{COURSE}"
    assert (call["method"], call["path"], call["status"]) == ("POST", ENROLLMENT, 200)
    assert all(each["ms"] >= 0 and each["at"].startswith("20") for each in attempt.calls)
    assert "ann" not in str(attempt.calls)
    assert "token" not in str(attempt.calls)


@database
@pytest.mark.parametrize(
    ("step", "answer", "kept"),
    [
        ("look", refusal(503), {"status": 503}),
        ("look", Answer(drop=True), {"error": "ConnectionError"}),
        ("look", Answer(hang=True), {"error": "ReadTimeout"}),
        ("token", refusal(503), {"status": 503}),
        ("token", Answer(hang=True), {"error": "ReadTimeout"}),
    ],
    ids=str,
)
def test_failed_call_is_kept_without_the_learners_name(
    lms: FakeLms, enrol: Any, impatient: None, caplog: Any, step: str, answer: Answer, kept: dict[str, Any]
) -> None:
    lms.will(step, answer)
    delivery = enrol()
    attempt = Attempt.objects.get()
    [call] = attempt.calls
    assert kept.items() <= call.items()
    told = [attempt.calls, attempt.error_text, delivery.error_text, *(vars(line) for line in caplog.records)]
    assert "ann-the-learner" not in str(told)


# --- The client itself ---


def test_task_is_a_plain_function_too(lms: FakeLms) -> None:
    assert enroll_learner(**WISH) is None
    [call] = lms.of("enrol")
    assert "idempotency-key" not in call.headers
    assert len(call.headers["x-request-id"]) == 32


def test_each_thread_has_a_client_of_its_own(lms: FakeLms) -> None:
    others: list[Any] = []

    def note() -> None:
        others.extend([lms_client(), lms_client()])
        forget_client()

    thread = threading.Thread(target=note)
    thread.start()
    thread.join()
    first, second = others
    assert first is second
    assert lms_client() is lms_client()
    assert lms_client() is not first


def test_connection_is_kept_open_between_calls(lms: FakeLms) -> None:
    enroll_learner(**WISH)
    pools = lms_client().session.get_adapter(lms.url).poolmanager.pools  # type: ignore[attr-defined]
    [pool] = map(pools.get, pools.keys())
    assert (pool.num_connections, pool.num_requests) == (1, 2)


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_root_of_the_lms_may_end_in_a_slash(lms: FakeLms, settings: Any, ending: str) -> None:
    settings.CC_LMS_URL_ROOT = lms.url + ending
    enroll_learner(**WISH)
    assert lms.kinds == ["token", "look", "enrol"]
