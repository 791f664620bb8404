"""Counting, looking and starting afresh."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from commerce_coordinator.plugins.demo_lms.models import StandInClient

from .conftest import COURSE, Lms

OTHER = "course-v1:DemoX+CS102+2026"


def provision(**options: Any) -> str:
    out = StringIO()
    call_command("provision_stand_in", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_calls_are_counted_by_learner_course_and_change(lms: Lms) -> None:
    lms.post(user="ada")
    lms.post(user="ada")
    lms.post(user="ada", course_details={"course_id": OTHER})
    lms.post(user="bob")
    lms.get(username="bob")
    assert lms.calls()["count"] == 5
    assert lms.calls(user="ada")["count"] == 3
    assert lms.calls(user="ada", course=COURSE)["count"] == 2
    assert lms.calls(user="ada", course=COURSE, changed=1)["count"] == 1
    assert lms.calls(user="ada", course=COURSE, changed=0)["count"] == 1
    assert lms.calls(user="", course="", changed="")["count"] == 5
    assert [call["method"] for call in lms.calls(user="bob")["calls"]] == ["POST", "GET"]


@pytest.mark.django_db
def test_an_unclear_filter_is_a_400(lms: Lms) -> None:
    response = lms.client.get("/demo_lms/calls/", {"changed": "maybe"})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "changed"


@pytest.mark.django_db
def test_kept_enrolments_are_shown_active_or_not(lms: Lms) -> None:
    lms.post(user="ada")
    lms.post(user="ada", is_active=False)
    lms.post(user="bob")
    assert [each["is_active"] for each in lms.kept()["enrollments"]] == [False, True]
    assert lms.kept(user="bob")["count"] == 1
    assert lms.kept(user="nobody") == {"count": 0, "enrollments": []}


@pytest.mark.django_db
def test_starting_afresh_keeps_only_the_clients(lms: Lms) -> None:
    provision()
    lms.post()
    lms.order_fault(status=503)
    response = lms.client.delete("/demo_lms/calls/")
    assert response.json() == {
        "deleted": {"calls": 1, "faults": 1, "enrollments": 1, "entitlements": 0, "accounts": 0, "mended": 0}
    }
    assert (lms.calls()["count"], lms.kept()["count"], StandInClient.objects.count()) == (0, 0, 2)
    assert lms.get().status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mended", "wish"),
    [
        ({"user": "unknown-ada"}, {"user": "unknown-ada"}),
        ({"course": "course-v1:DemoX+CS101+full"}, {"course_details": {"course_id": "course-v1:DemoX+CS101+full"}}),
    ],
)
def test_what_is_mended_is_refused_no_more(lms: Lms, mended: dict[str, str], wish: dict[str, Any]) -> None:
    assert lms.post(**wish).status_code >= 400
    for _ in range(2):
        assert lms.client.post("/demo_lms/mended/", mended, content_type="application/json").status_code == 201
    assert lms.client.get("/demo_lms/mended/").json() == {"count": 1, "mended": [*mended.values()]}
    assert lms.post(**wish).status_code == 200
    lms.client.delete("/demo_lms/calls/")
    assert lms.post(**wish).status_code >= 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", [{}, {"user": 1}, {"user": ""}, {"course": "Baking"}, {"user": "a", "course": "b"}, {"x": ""}]
)
def test_what_cannot_be_mended_is_a_400(lms: Lms, body: dict[str, Any]) -> None:
    answer = lms.client.post("/demo_lms/mended/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [("faults", "PUT", "GET, POST, DELETE"), ("calls", "POST", "GET, DELETE"), ("enrollments", "DELETE", "GET")],
)
def test_other_methods_get_the_common_error(client: Client, path: str, method: str, allowed: str) -> None:
    response = client.generic(method, f"/demo_lms/{path}/")
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert response.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.database
@pytest.mark.django_db
def test_provisioning_twice_changes_nothing_and_says_so(settings: Any) -> None:
    settings.CC_LMS_CLIENT_ID = "commerce-coordinator-worker"
    first, second = provision(), provision()
    assert first == (
        "OAuth clients of the stand-in LMS: commerce-coordinator-sso created, commerce-coordinator-worker created.\n"
    )
    assert second == (
        "OAuth clients of the stand-in LMS: commerce-coordinator-sso kept, commerce-coordinator-worker kept.\n"
    )
    assert StandInClient.objects.count() == 2


@pytest.mark.django_db
def test_provisioning_takes_over_a_new_secret(settings: Any) -> None:
    settings.CC_LMS_CLIENT_ID = "commerce-coordinator-worker"
    provision()
    settings.CC_LMS_CLIENT_SECRET = "another"
    assert "commerce-coordinator-worker updated" in provision()
    assert StandInClient.objects.get(client_id="commerce-coordinator-worker").has_secret("another")
    assert provision(verbosity=0) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["CC_LMS_CLIENT_ID", "CC_LMS_CLIENT_SECRET"])
def test_provisioning_names_a_setting_that_is_missing(settings: Any, name: str) -> None:
    setattr(settings, name, "")
    with pytest.raises(CommandError, match=name):
        provision()


@pytest.mark.django_db
def test_provisioning_refuses_an_empty_secret() -> None:
    with pytest.raises(CommandError, match="--sso-secret"):
        provision(sso_secret="")
