"""A service asks that a learner is enrolled."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.testing import assert_not_sent, run_deliveries, sent

from ..signals import enrollment_ordered_by_service
from .callers import MAY_NOT, headers_of
from .fake_lms import FakeLms

pytestmark = [pytest.mark.django_db, pytest.mark.database]

WISH = {"username": "ann", "course_id": "course-v1:X+Y+Z", "mode": "audit"}


def ask(client: Client, body: Any = WISH, *, key: str | None = None, caller: str = "staff", **headers: str) -> Any:
    more = {} if key is None else {"Idempotency-Key": key}
    return client.post(
        "/lms/enrollment/",
        body,
        content_type="application/json",
        headers={**headers_of(caller), **more, **headers},
    )


def test_learner_is_enrolled_by_a_worker(client: Client, lms: FakeLms) -> None:
    answer = ask(client)
    dispatch = Dispatch.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"dispatch": str(dispatch.pk)})
    assert [each.state for each in run_deliveries() if each.dispatch_id == dispatch.pk] == [Delivery.State.SUCCEEDED]
    found = lms.enrolled["ann", WISH["course_id"]]
    assert (found["mode"], found["is_active"]) == ("audit", True)


def test_order_number_is_made_here_and_no_shops(client: Client) -> None:
    ask(client)
    ask(client)
    numbers = {each["order_number"] for each in sent(enrollment_ordered_by_service)}
    assert len(numbers) == 2
    assert all(each.startswith("SVC-") for each in numbers)


def test_one_key_is_one_wish(client: Client) -> None:
    first, second = ask(client, key="k-1"), ask(client, key="k-1")
    assert second.json() == first.json()
    assert ask(client, key="k-2").json() != first.json()
    assert len(sent(enrollment_ordered_by_service)) == 2


def test_key_with_other_values_is_409(client: Client) -> None:
    ask(client, key="k-1")
    answer = ask(client, {**WISH, "mode": "verified"}, key="k-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert len(sent(enrollment_ordered_by_service)) == 1


def test_keys_of_two_services_are_two(client: Client) -> None:
    other = as_user("other_worker", lms_user_id=8, staff=True)
    assert ask(client, key="k-1").json() != ask(client, key="k-1", **other).json()


def test_key_is_not_too_long(client: Client) -> None:
    assert list(ask(client, key="k" * 256).json()["error"]["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize(("username", "person"), [("ann", "84213577"), ("Ann", ""), ("ben", "")])
def test_learner_who_was_here_is_found_by_the_lms_id(client: Client, username: str, person: str) -> None:
    get_user_model().objects.create_user("ann", lms_user_id=84213577)
    ask(client, {**WISH, "username": username})
    assert Dispatch.objects.get().person == person


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": None}, "username"),
        ({"username": "a,b"}, "username"),
        ({"username": True}, "username"),
        ({"course_id": ""}, "course_id"),
        ({"course_id": "x" * 256}, "course_id"),
        ({"mode": "Audit"}, "mode"),
        ({"mode": {}}, "mode"),
    ],
)
def test_bad_input_is_400_and_names_the_field(client: Client, change: Any, field: str) -> None:
    answer = ask(client, {**WISH, **change})
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert_not_sent(enrollment_ordered_by_service)


@pytest.mark.parametrize(("caller", "status"), [("anonymous", 401), *MAY_NOT.items()])
def test_learner_never_enrols_anybody(client: Client, caller: str, status: int) -> None:
    assert ask(client, caller=caller).status_code == status
    assert_not_sent(enrollment_ordered_by_service)


def test_enrolment_takes_five_statements(client: Client, django_assert_num_queries: Any) -> None:
    ask(client)
    # The caller's account, the learner's; was it asked before; the dispatch and its delivery.
    with django_assert_num_queries(5):
        ask(client)
