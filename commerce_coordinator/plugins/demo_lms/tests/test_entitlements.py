"""The entitlements' API and the accounts' over HTTP, as the LMS answers."""

from typing import Any

import pytest

from commerce_coordinator.plugins.demo_lms.stand_in import tokens

from .conftest import API, COURSE, Lms

ENTITLEMENTS = "/demo_lms/api/entitlements/v1/entitlements/"
COURSE_UUID = "0c2a4b1e-5a0f-4f43-9f5c-3d1f5a6f7b8c"

pytestmark = pytest.mark.django_db


def grant(lms: Lms, **changes: Any) -> Any:
    body = {"user": "ada", "course_uuid": COURSE_UUID, "mode": "verified", "order_number": "EDX-1", **changes}
    return lms.client.post(ENTITLEMENTS, body, content_type="application/json")


@pytest.mark.database
def test_who_posts_twice_has_two(lms: Lms) -> None:
    first, second = grant(lms), grant(lms)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["uuid"] != second.json()["uuid"]
    page = lms.client.get(ENTITLEMENTS, {"user": "ada"}).json()
    assert (page["count"], page["next"], len(page["results"])) == (2, None, 2)
    assert page["results"][0] == first.json()
    assert [call["changed"] for call in lms.calls(user="ada")["calls"]] == [True, True, False]


def test_ended_ones_stay_and_ending_twice_is_204(lms: Lms) -> None:
    one = f"{ENTITLEMENTS}{grant(lms).json()['uuid']}/"
    assert [lms.client.delete(one).status_code for _ in range(2)] == [204, 204]
    assert lms.client.get(one).json()["expired_at"]
    assert lms.client.get(ENTITLEMENTS, {"user": "ada"}).json()["count"] == 1
    assert lms.calls(user="ada", changed=1)["count"] == 2
    assert lms.client.delete(f"{ENTITLEMENTS}{COURSE_UUID}/").status_code == 404


def test_a_learners_entitlements_come_by_pages_and_by_uuid(lms: Lms) -> None:
    keys = [grant(lms).json()["uuid"] for _ in range(5)]
    grant(lms, user="bob")
    pages = [lms.client.get(ENTITLEMENTS, {"user": "ada", "page": n, "page_size": 2}).json() for n in (1, 2, 3)]
    assert [each["uuid"] for page in pages for each in page["results"]] == keys
    assert [bool(page["next"]) for page in pages] == [True, True, False]
    assert lms.client.get(ENTITLEMENTS, {"user": "ada", "page": 4, "page_size": 2}).status_code == 404
    found = lms.client.get(ENTITLEMENTS, {"user": "ada", "uuid": f"{keys[1]},nonsense"}).json()
    assert [each["uuid"] for each in found["results"]] == [keys[1]]
    assert lms.client.get(ENTITLEMENTS, {"page_size": "x"}).json()["count"] == 0, "nobody named: the caller's own"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"user": "unknown-ada"}, "user"),
        ({"user": 7}, "user"),
        ({"course_uuid": "no-uuid"}, "course_uuid"),
        ({"mode": None}, "mode"),
        ({"order_number": 7}, "order_number"),
    ],
)
def test_what_cannot_be_granted_is_400_by_field(lms: Lms, changes: dict[str, Any], field: str) -> None:
    refused = grant(lms, **changes)
    assert (refused.status_code, list(refused.json())) == (400, [field])


def test_who_is_no_staff_sees_and_changes_nothing_of_others(lms: Lms) -> None:
    lms.post()
    key = grant(lms).json()["uuid"]
    stranger = {"Authorization": f"JWT {tokens.issue('unprivileged-worker')}"}
    one = f"{ENTITLEMENTS}{key}/"
    statuses = {
        "look": lms.client.get(f"{API}/ada,{COURSE}", headers=stranger).status_code,
        "enrol": lms.post(headers=stranger).status_code,
        "entitle": lms.client.post(ENTITLEMENTS, {}, content_type="application/json", headers=stranger).status_code,
        "revoke": lms.client.delete(one, headers=stranger).status_code,
        "one": lms.client.get(one, headers=stranger).status_code,
        "deactivate": lms.client.post("/demo_lms/api/user/v1/accounts/ada/deactivate/", headers=stranger).status_code,
    }
    assert statuses == {"look": 404, "enrol": 404, "entitle": 403, "revoke": 403, "one": 404, "deactivate": 403}
    assert lms.client.get(API, {"user": "ada"}, headers=stranger).json() == []
    assert lms.client.get(ENTITLEMENTS, {"user": "ada"}, headers=stranger).json()["count"] == 0


def test_an_account_is_deactivated_as_often_as_asked(lms: Lms) -> None:
    path = "/demo_lms/api/user/v1/accounts/ada/deactivate/"
    assert [lms.client.post(path).status_code for _ in range(2)] == [200, 200]
    assert lms.client.get("/demo_lms/accounts/").json() == {"count": 1, "deactivated": ["ada"]}
    assert [call["changed"] for call in lms.calls(user="ada")["calls"]] == [True, False]
    unknown = lms.client.post("/demo_lms/api/user/v1/accounts/unknown-ada/deactivate/")
    assert (unknown.status_code, unknown.headers["Content-Type"][:9]) == (500, "text/html")


@pytest.mark.parametrize(
    ("target", "path", "method"),
    [
        ("entitlements", ENTITLEMENTS, "GET"),
        ("entitlements", f"{ENTITLEMENTS}{COURSE_UUID}/", "DELETE"),
        ("accounts", "/demo_lms/api/user/v1/accounts/ada/deactivate/", "POST"),
    ],
)
def test_each_api_shows_its_own_faults(lms: Lms, target: str, path: str, method: str) -> None:
    lms.order_fault(status=503, path=target, method=method, retry_after=3)
    assert lms.get().status_code == 200, "another API's"
    shown = lms.client.generic(method, path)
    assert (shown.status_code, shown.headers["Retry-After"]) == (503, "3")
    assert lms.client.generic(method, path).status_code != 503


def test_a_token_may_be_short_lived_on_order(lms: Lms, client: Any, settings: Any) -> None:
    lms.order_fault(path="oauth2", lifetime=2)
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.CC_LMS_CLIENT_ID,
        "client_secret": settings.CC_LMS_CLIENT_SECRET,
        "token_type": "jwt",
    }
    lives = [client.post("/demo_lms/oauth2/access_token", form).json()["expires_in"] for _ in range(2)]
    assert lives == [2, 3600]
