"""The tasks against the stand-in LMS over HTTP: it enforces the real one's rules."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import time_machine
from django.apps import apps

from commerce_coordinator.core.exceptions import GiveUp, Retry

from .. import tasks
from .conftest import forget_client

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not apps.is_installed("commerce_coordinator.plugins.demo_lms"), reason="the plugin of the stand-in is removed"
    ),
]

USER = "ada"
COURSE_UUID = "0c2a4b1e-5a0f-4f43-9f5c-3d1f5a6f7b8c"


class StandIn:
    """What people and tests ask of it."""

    def __init__(self, root: str) -> None:
        self.root = root

    def kept(self, what: str) -> Any:
        return requests.get(f"{self.root}/{what}/", timeout=10).json()

    def order(self, **fault: Any) -> None:
        requests.post(f"{self.root}/faults/", json=fault, timeout=10).raise_for_status()

    @property
    def attributes(self) -> dict[str, str]:
        [kept] = self.kept("enrollments")["enrollments"]
        return {f"{each['namespace']}:{each['name']}": each["value"] for each in kept["attributes"]}

    @property
    def changed(self) -> int:
        return sum(call["changed"] for call in self.kept("calls")["calls"])


@pytest.fixture
def stand_in(live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    forget_client()
    settings.CC_LMS_URL_ROOT = f"{live_server.url}/demo_lms"
    settings.CC_LMS_CLIENT_ID = "commerce-coordinator-worker"
    yield StandIn(settings.CC_LMS_URL_ROOT)
    forget_client()


def line(course: str = "course-v1:DemoX+CS101+2026", mode: str = "verified", **changes: Any) -> dict[str, Any]:
    wish = {"order_number": "EDX-1", "line_number": 1, "username": USER, "course_key": course, "mode": mode}
    return {**wish, **changes}


def test_enrolled_upgraded_let_out_and_in_again_with_the_orders_attributes(stand_in: StandIn) -> None:
    tasks.enroll_learner(**line(mode="audit", order_number="EDX-0"))
    for _ in range(2):
        tasks.enroll_learner(**line())
    assert stand_in.attributes == {
        "order:order_number": "EDX-1",
        "order:order_id": "EDX-1",
        "order:line_item_id": "EDX-1-1",
    }
    for _ in range(2):
        tasks.unenroll_learner(**line())
    assert stand_in.attributes["order:order_number"] == "EDX-1", "who looks later still finds the order"
    tasks.enroll_learner(**line(order_number="EDX-2"))
    assert stand_in.attributes["order:order_number"] == "EDX-2"
    assert stand_in.changed == 4


def test_credit_needs_its_provider(stand_in: StandIn) -> None:
    with pytest.raises(GiveUp, match="credit:provider_id"):
        tasks.enroll_learner(**line(mode="credit"))
    tasks.enroll_learner(**line(mode="credit", credit_provider="asu"))
    assert stand_in.attributes["credit:provider_id"] == "asu"


@pytest.mark.parametrize("ending", ["full", "closed", "missing", "expired", "professional", "embargo"])
def test_course_that_takes_nobody_is_given_up(stand_in: StandIn, ending: str) -> None:
    with pytest.raises(GiveUp, match=r"answered 40[03]"):
        tasks.enroll_learner(**line(f"course-v1:DemoX+CS101+{ending}"))
    assert stand_in.changed == 0


def test_unknown_learner_is_tried_again(stand_in: StandIn) -> None:
    with pytest.raises(Retry, match="does not know"):
        tasks.enroll_learner(**line(username="unknown-ada"))
    with pytest.raises(Retry, match="does not know"):
        tasks.grant_entitlement(**entitlement(username="unknown-ada"))


def test_client_without_privilege_is_given_up(stand_in: StandIn, settings: Any) -> None:
    settings.CC_LMS_CLIENT_ID = "unprivileged-worker"
    for task, values in (
        (tasks.enroll_learner, line()),
        (tasks.grant_entitlement, entitlement()),
        (tasks.deactivate_account, {"username": USER}),
    ):
        with pytest.raises(GiveUp, match=r"answered 40[34]"):
            task(**values)
    assert stand_in.changed == 0


def test_token_is_renewed_before_it_ends(stand_in: StandIn) -> None:
    stand_in.order(path="oauth2", lifetime=60, count=1)
    tasks.enroll_learner(**line())
    with time_machine.travel(time.time() + 61, tick=True):
        tasks.unenroll_learner(**line())
    statuses = [call["status"] for call in stand_in.kept("calls")["calls"]]
    assert statuses == [200] * 4, "whoever keeps a token for ever is answered 401"


def entitlement(**changes: Any) -> dict[str, Any]:
    wish = {"order_number": "EDX-1", "line_number": 1, "username": USER, "course_uuid": COURSE_UUID, "mode": "verified"}
    return {**wish, **changes}


def test_entitlements_are_granted_and_revoked_without_doubles(stand_in: StandIn) -> None:
    stand_in.order(path="entitlements", method="POST", status=504, html=True, when="after")
    with pytest.raises(Retry):
        tasks.grant_entitlement(**entitlement())
    tasks.grant_entitlement(**entitlement())
    assert stand_in.kept("entitlements")["count"] == 1
    stand_in.order(path="entitlements", method="DELETE", status=503, when="after")
    with pytest.raises(Retry):
        tasks.revoke_entitlement(**entitlement())
    tasks.revoke_entitlement(**entitlement())
    assert stand_in.kept("entitlements")["entitlements"][0]["expired_at"]
    assert stand_in.changed == 2


def test_account_is_deactivated(stand_in: StandIn) -> None:
    stand_in.order(path="accounts", status=429, retry_after=7)
    with pytest.raises(Retry) as asked:
        tasks.deactivate_account(username=USER)
    assert asked.value.after == 7
    for _ in range(2):
        tasks.deactivate_account(username=USER)
    assert stand_in.kept("accounts") == {"count": 1, "deactivated": [USER]}
    with pytest.raises(Retry):  # the LMS's own answer to a user whom it does not have is a page with 500
        tasks.deactivate_account(username="unknown-ada")
