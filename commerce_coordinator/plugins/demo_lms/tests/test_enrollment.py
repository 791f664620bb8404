"""The enrolment API over HTTP: answers, what is kept, and many calls at once."""

import json
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import IntegrityError
from edx_django_utils.cache import TieredCache
from edx_rest_api_client.client import OAuthAPIClient

from commerce_coordinator.plugins.demo_lms.models import StandInCall, StandInEnrollment

from .conftest import API, COURSE, Lms, at_once

ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1"}


@pytest.mark.database
@pytest.mark.django_db
def test_an_enrolment_is_created_and_read_back(lms: Lms) -> None:
    posted = lms.post(enrollment_attributes=[ORDER], email_opt_in=False)
    assert posted.status_code == 200
    assert posted.json() == {
        "created": posted.json()["created"],
        "mode": "verified",
        "is_active": True,
        "user": "ada",
        "course_details": {"course_id": COURSE},
    }
    assert lms.get().json() == posted.json()
    assert lms.list(user="ada").json() == [posted.json()]
    assert lms.kept(user="ada")["enrollments"] == [{**posted.json(), "attributes": [ORDER]}]


@pytest.mark.django_db
def test_an_enrolment_that_never_was_is_200_with_an_empty_body(lms: Lms) -> None:
    response = lms.get()
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.django_db
def test_a_quoted_course_key_in_the_path_is_understood(lms: Lms) -> None:
    lms.post()
    assert lms.get(course="course-v1%3ADemoX%2BCS101%2B2026").json()["user"] == "ada"


@pytest.mark.django_db
def test_a_learner_who_left_is_not_listed_but_found(lms: Lms) -> None:
    lms.post()
    assert lms.post(is_active=False).status_code == 200
    assert lms.list(user="ada").json() == []
    assert lms.get().json()["is_active"] is False


@pytest.mark.django_db
def test_already_enrolled_is_200_and_stores_no_attributes(lms: Lms) -> None:
    lms.post()
    assert lms.post(enrollment_attributes=[ORDER]).status_code == 200
    assert lms.kept()["enrollments"][0]["attributes"] == []
    assert [call["changed"] for call in lms.calls()["calls"]] == [True, False]


@pytest.mark.database
@pytest.mark.django_db
def test_names_that_differ_in_case_are_two_learners(lms: Lms) -> None:
    lms.post(user="ada")
    lms.post(user="Ada")
    assert {each["user"] for each in lms.kept()["enrollments"]} == {"ada", "Ada"}
    assert lms.calls(user="Ada")["count"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"user": "unknown-ada"}, 406),
        ({"course_details": {"course_id": "no-key"}}, 400),
        ({"course_details": {"course_id": "course-v1:DemoX+CS101+full"}}, 400),
        ({"mode": "gold"}, 400),
        ({"mode": "credit"}, 400),
    ],
)
def test_a_refused_call_says_why_and_changes_nothing(lms: Lms, changes: dict[str, Any], status: int) -> None:
    response = lms.post(**changes)
    assert response.status_code == status
    assert list(response.json()) == ["message"]
    assert response.json()["message"]
    (call,) = lms.calls()["calls"]
    assert (call["status"], call["changed"]) == (status, False)
    assert not StandInEnrollment.objects.exists()


@pytest.mark.django_db
def test_leaving_needs_the_same_mode(lms: Lms) -> None:
    lms.post(mode="verified")
    assert lms.post(mode="audit", is_active=False).status_code == 400
    assert lms.get().json()["is_active"] is True


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"\xff",
        b'{"user": NaN}',
        b'{"user": "\\ud800"}',
        b'{"user": "ada", "course_details": {"course_id": "\\udfff"}}',
        b"[" * 100_000,
        b'{"user": ' + b"9" * 5000 + b"}",
        b'{"user": {"a": 1}, "course_details": []}',
        json.dumps({"user": "a" * 5000, "course_details": {"course_id": "b" * 5000}}).encode(),
        json.dumps({"user": "a\x00b", "course_details": {"course_id": COURSE}}).encode(),
    ],
)
def test_a_garbled_body_is_refused_and_kept_as_a_call(lms: Lms, body: bytes) -> None:
    response = lms.post(body)
    assert response.status_code in {400, 406}
    assert list(response.json()) == ["message"]
    assert lms.calls()["calls"][0]["status"] == response.status_code


@pytest.mark.django_db
def test_a_body_over_the_limit_is_413(lms: Lms) -> None:
    assert lms.post(b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)).status_code == 413
    assert lms.calls()["calls"][0]["status"] == 413


@pytest.mark.django_db
def test_garbled_paths_and_queries_are_400(lms: Lms) -> None:
    assert lms.list().status_code == 400
    assert lms.get(course="no-key").status_code == 400
    assert lms.get(username="%00", course="%FF").status_code == 400


@pytest.mark.django_db
def test_other_methods_are_405_and_kept(lms: Lms) -> None:
    response = lms.client.put(API, {})
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")
    assert lms.client.post(f"{API}/ada,{COURSE}").status_code == 405
    assert [call["status"] for call in lms.calls()["calls"]] == [405, 405]


@pytest.mark.django_db
def test_no_csrf_token_is_asked_for(lms: Lms) -> None:
    lms.client.handler.enforce_csrf_checks = True
    assert lms.post().status_code == 200
    assert lms.order_fault(status=503).status_code == 201


@pytest.mark.django_db
def test_a_call_without_a_token_is_kept_and_changes_nothing(lms: Lms) -> None:
    assert lms.post(headers={"Authorization": "JWT nonsense"}).status_code == 401
    (call,) = lms.calls()["calls"]
    assert (call["status"], call["user"], call["changed"]) == (401, "ada", False)


@pytest.mark.django_db
def test_a_kept_call_carries_the_callers_ids_cut_to_their_columns(lms: Lms) -> None:
    lms.post(headers={"Idempotency-Key": "key-1", "X-Request-ID": "r" * 300})
    (call,) = lms.calls()["calls"]
    assert call == {
        "id": call["id"],
        "at": call["at"],
        "method": "POST",
        "path": API,
        "user": "ada",
        "course": COURSE,
        "status": 200,
        "changed": True,
        "fault": "",
        "idempotency_key": "key-1",
        "request_id": "r" * 255,
    }


@pytest.mark.django_db
def test_the_idempotency_key_is_ignored(lms: Lms) -> None:
    for is_active in (True, False):
        lms.post(is_active=is_active, headers={"Idempotency-Key": "the same"})
    assert lms.get().json()["is_active"] is False
    assert lms.calls(changed="1")["count"] == 2


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_one_enrolment_posted_often_at_once_changes_once_and_loses_no_call() -> None:
    statuses = at_once(16, lambda lms, number: lms.post(enrollment_attributes=[ORDER]).status_code)
    assert statuses == [200] * 16
    assert StandInCall.objects.filter(status=200).count() == 16
    assert StandInCall.objects.filter(changed=True).count() == 1
    assert StandInEnrollment.objects.get().attributes == [ORDER]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_many_enrolments_at_once_all_arrive() -> None:
    def enrol(lms: Lms, number: int) -> int:
        return lms.post(user=f"learner{number % 4}", course_details={"course_id": f"{COURSE}{number}"}).status_code

    assert at_once(24, enrol) == [200] * 24
    assert StandInEnrollment.objects.count() == 24
    assert StandInCall.objects.filter(changed=True).count() == 24


@pytest.mark.django_db
def test_a_lost_race_is_run_again_and_the_call_kept_once(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    save, races = StandInEnrollment.save, [IntegrityError("It is there by now.")]

    def lose_once(row: StandInEnrollment, *args: Any, **kwargs: Any) -> None:
        if races:
            raise races.pop()
        save(row, *args, **kwargs)

    monkeypatch.setattr(StandInEnrollment, "save", lose_once)
    assert lms.post().status_code == 200
    assert (lms.calls()["count"], lms.kept()["count"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_library_that_calls_the_lms_works_against_the_stand_in(live_server: Any) -> None:
    TieredCache.dangerous_clear_all_tiers()
    root = f"{live_server.url}/demo_lms"
    with OAuthAPIClient(root, settings.CC_LMS_CLIENT_ID, settings.CC_LMS_CLIENT_SECRET, timeout=(5, 5)) as session:
        body = {"user": "ada", "course_details": {"course_id": COURSE}, "mode": "verified"}
        posted = session.post(f"{root}/api/enrollment/v1/enrollment", json=body, timeout=5)
        assert posted.status_code == requests.codes.ok
        found = session.get(f"{root}/api/enrollment/v1/enrollment/ada,{COURSE}", timeout=5)
        assert found.json() == posted.json()
