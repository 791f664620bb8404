"""Faults on order: what they do to a call, and that they are counted right."""

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commerce_coordinator.plugins.demo_lms.models import StandInCall, StandInFault
from commerce_coordinator.plugins.demo_lms.stand_in import faults
from commerce_coordinator.plugins.demo_lms.stand_in.bodies import Refused

from .conftest import Lms, at_once, gently

TOKEN = "/demo_lms/oauth2/access_token"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, list[int | None]]]:
    """(seconds asked for, the statuses of the kept calls at that moment) of each wait; nothing sleeps."""
    waits: list[tuple[float, list[int | None]]] = []

    def note(seconds: float) -> None:
        waits.append((seconds, list(StandInCall.objects.order_by("pk").values_list("status", flat=True))))

    monkeypatch.setattr(faults, "sleep", note)
    return waits


@pytest.mark.django_db
def test_the_next_calls_get_the_fault_and_then_no_more(lms: Lms) -> None:
    assert lms.order_fault(status=503, count=2).status_code == 201
    assert [lms.post().status_code for _ in range(3)] == [503, 503, 200]
    calls = lms.calls()["calls"]
    assert [(call["status"], call["changed"]) for call in calls] == [(503, False), (503, False), (200, True)]
    assert [bool(call["fault"]) for call in calls] == [True, True, False]
    assert {call["user"] for call in calls} == {"ada"}


@pytest.mark.django_db
def test_a_fault_before_the_effect_leaves_no_enrolment(lms: Lms) -> None:
    lms.order_fault(status=500)
    assert lms.post().json() == {"message": "This fault was asked for."}
    assert lms.kept()["count"] == 0


@pytest.mark.django_db
def test_a_fault_after_the_effect_hides_an_enrolment_that_is_there(lms: Lms) -> None:
    lms.order_fault(status=502, when="after")
    assert lms.post().status_code == 502
    assert lms.kept()["count"] == 1
    (call,) = lms.calls()["calls"]
    assert (call["status"], call["changed"]) == (502, True)


@pytest.mark.django_db
def test_a_delay_gives_the_true_answer_later_and_the_call_is_seen_meanwhile(lms: Lms, waited: list) -> None:
    lms.order_fault(delay=2.0)
    assert lms.post().status_code == 200
    assert waited == [(2.0, [None])]
    assert StandInCall.objects.get().status == 200


@pytest.mark.django_db
def test_a_delay_after_the_effect_waits_with_the_enrolment_there(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def look(seconds: float) -> None:
        (call,) = lms.calls(changed="1")["calls"]
        seen.append((seconds, lms.kept()["count"], call["status"]))

    monkeypatch.setattr(faults, "sleep", look)
    lms.order_fault(delay=1, when="after")
    assert lms.post().status_code == 200
    assert seen == [(1.0, 1, None)]


@pytest.mark.django_db
def test_a_delay_and_a_status_come_one_after_the_other(lms: Lms, waited: list) -> None:
    lms.order_fault(delay=0.5, status=504)
    assert lms.post().status_code == 504
    assert [seconds for seconds, _ in waited] == [0.5]


@pytest.mark.django_db
def test_a_fault_can_be_an_html_page_that_says_when_to_come_back(lms: Lms) -> None:
    lms.order_fault(status=429, html=True, retry_after=7)
    response = lms.post()
    assert response.status_code == 429
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.content.startswith(b"<!DOCTYPE html>")
    assert response.headers["Retry-After"] == "7"


@pytest.mark.django_db
def test_a_fault_for_one_method_lets_the_other_through(lms: Lms) -> None:
    lms.order_fault(status=503, method="POST")
    assert lms.get().status_code == 200
    assert lms.post().status_code == 503


@pytest.mark.django_db
def test_older_orders_are_served_first(lms: Lms) -> None:
    lms.order_fault(status=503)
    lms.order_fault(status=500)
    assert [lms.get().status_code for _ in range(3)] == [503, 500, 200]


@pytest.mark.django_db
def test_the_token_endpoint_has_faults_of_its_own(lms: Lms, client: Client, waited: list) -> None:
    lms.order_fault(status=503)
    assert client.post(TOKEN).status_code == 400
    lms.order_fault(status=500, path="oauth2", delay=3)
    assert client.post(TOKEN).status_code == 500
    assert [seconds for seconds, _ in waited] == [3.0]
    assert client.post(TOKEN).status_code == 400
    assert lms.get().status_code == 503


@pytest.mark.django_db
def test_faults_are_listed_and_cleared(lms: Lms) -> None:
    ordered = lms.order_fault(status=503, count=2).json()
    assert ordered == {
        "status": 503,
        "delay": 0.0,
        "count": 2,
        "html": False,
        "retry_after": None,
        "when": "before",
        "path": "enrollment",
        "method": None,
        "lifetime": None,
    }
    lms.get()
    assert lms.client.get("/demo_lms/faults/").json() == {"count": 1, "faults": [{**ordered, "count": 1}]}
    assert lms.client.delete("/demo_lms/faults/").json() == {"deleted": {"faults": 1}}
    assert lms.get().status_code == 200


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_faults_are_counted_exactly_over_many_threads(lms: Lms) -> None:
    lms.order_fault(status=503, count=7)
    lms.order_fault(status=500, count=3)
    statuses = at_once(20, lambda lms, number: lms.get().status_code)
    assert (statuses.count(503), statuses.count(500), statuses.count(200)) == (7, 3, 10)
    assert StandInCall.objects.count() == 20
    assert not StandInFault.objects.filter(remaining__gt=0).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"count": 3}, "status"),
        ({"delay": 0}, "status"),
        ({"status": 503, "count": 0}, "count"),
        ({"status": 503, "count": -1}, "count"),
        ({"status": 503, "count": 10**30}, "count"),
        ({"status": 503, "count": True}, "count"),
        ({"status": 503, "count": 1.5}, "count"),
        ({"status": 503, "count": "3"}, "count"),
        ({"status": 503, "count": None}, "count"),
        ({"status": "503"}, "status"),
        ({"status": 99}, "status"),
        ({"status": 204}, "status"),
        ({"status": 302}, "status"),
        ({"status": 600}, "status"),
        ({"status": [503]}, "status"),
        ({"delay": -1}, "delay"),
        ({"delay": 120.5}, "delay"),
        ({"delay": "2"}, "delay"),
        ({"delay": True}, "delay"),
        ({"delay": 10**400}, "delay"),
        ({"delay": 1, "html": True}, "html"),
        ({"delay": 1, "retry_after": 3}, "retry_after"),
        ({"status": 503, "html": "yes"}, "html"),
        ({"status": 503, "retry_after": -1}, "retry_after"),
        ({"status": 503, "retry_after": 10**9}, "retry_after"),
        ({"status": 503, "when": "never"}, "when"),
        ({"status": 503, "when": {}}, "when"),
        ({"status": 503, "path": "admin"}, "path"),
        ({"status": 503, "method": "PATCH"}, "method"),
        ({"lifetime": 0, "path": "oauth2"}, "lifetime"),
        ({"lifetime": 5}, "lifetime"),
        ({"lifetime": 5, "path": "oauth2", "status": 503}, "lifetime"),
        ({"status": 503, "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_order_is_a_400_that_names_the_field(lms: Lms, body: dict[str, Any], field: str) -> None:
    response = lms.order_fault(**body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("bad_request", field)
    assert error["message"]
    assert not StandInFault.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b'{"delay": NaN}', b'{"delay": Infinity}', b"[" * 100_000])
def test_an_order_that_is_no_json_object_is_a_400(lms: Lms, body: bytes) -> None:
    response = lms.client.post("/demo_lms/faults/", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"


@pytest.mark.django_db
def test_an_infinite_delay_in_disguise_is_refused(lms: Lms) -> None:
    response = lms.client.post("/demo_lms/faults/", b'{"delay": 1e999}', content_type="application/json")
    assert (response.status_code, response.json()["error"]["field"]) == (400, "delay")


_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers())
_names = st.sampled_from(["status", "delay", "count", "html", "retry_after", "when", "path", "method", "other"])


@gently
@given(st.dictionaries(_names, _values))
def test_whatever_is_ordered_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        fault = faults.read(body)
    except Refused as refused:
        assert refused.status == 400
    else:
        assert 1 <= fault.remaining <= faults.MOST_CALLS
        assert 0 <= fault.delay <= faults.LONGEST_DELAY
