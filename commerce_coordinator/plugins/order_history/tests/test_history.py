"""The learner's orders over HTTP: all of them, in order, and what is missing said."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.rest.testing import as_user

from .steps_for_tests import NOON, order

pytestmark = pytest.mark.django_db

URL = "/orders/order_history/"
AMINA = {"lms_user_id": 7}
BO = {"lms_user_id": 8}


def get(client: Client, query: str = "", user: str = "amina", **claims: Any) -> Any:
    return client.get(f"{URL}{query}", headers=as_user(user, **(claims or AMINA)))


def numbers(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [each["number"] for each in response.json()["results"]]


# --- What is answered ---


def test_answer_has_the_keys_that_the_micro_frontend_reads_and_no_others(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"amina": [order("EDX-1")]}
    response = get(client)
    assert response.status_code == 200
    assert response.json() == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "number": "EDX-1",
                "currency": "EUR",
                "date_placed": "2026-03-01T12:00:00Z",
                "total_excl_tax": "149.00",
                "lines": [{"title": "Seat of EDX-1", "quantity": 1, "description": "verified"}],
            }
        ],
        "gaps": [],
    }


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(14900, "EUR", "149.00"), (14900, "JPY", "14900"), (1234, "KWD", "1.234"), (0, "USD", "0.00"), (5, "USD", "0.05")],
)
def test_total_has_the_places_of_its_currency(
    client: Client, stock: dict[str, Any], amount: int, currency: str, shown: str
) -> None:
    stock["first"] = {"amina": [order("EDX-1", amount=amount, currency=currency)]}
    [found] = get(client).json()["results"]
    assert (found["total_excl_tax"], found["currency"]) == (shown, currency)


def test_date_is_told_in_utc_wherever_it_was_written_and_wherever_we_are(
    client: Client, stock: dict[str, Any], settings: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    stock["first"] = {"amina": [order("EDX-1", at=datetime.fromisoformat("2026-03-01T23:30:00-05:00"))]}
    [found] = get(client).json()["results"]
    assert found["date_placed"] == "2026-03-02T04:30:00Z"


def test_learner_without_orders_has_an_empty_history(client: Client) -> None:
    assert get(client).json() == {"count": 0, "next": None, "previous": None, "results": [], "gaps": []}


def test_history_is_kept_by_no_browser_and_no_proxy(client: Client) -> None:
    assert "no-store" in get(client)["Cache-Control"]


# --- In which order ---


def test_orders_of_all_sources_come_newest_first(client: Client, stock: dict[str, Any]) -> None:
    hour = timedelta(hours=1)
    stock["first"] = {"amina": [order("A-3", at=NOON), order("A-1", at=NOON - 2 * hour)]}
    stock["second"] = {"amina": [order("B-4", at=NOON + hour), order("B-2", at=NOON - hour)]}
    assert numbers(get(client)) == ["B-4", "A-3", "B-2", "A-1"]


@pytest.mark.parametrize("swapped", [False, True])
def test_pages_hold_each_order_once_even_where_all_were_placed_at_the_same_instant(
    client: Client, stock: dict[str, Any], swapped: bool
) -> None:
    placed = {"first": [order(f"A-{n}") for n in range(7)], "second": [order(f"B-{n}") for n in range(7)]}
    seen: list[str] = []
    for page in range(1, 6):
        # What a source answers in another order each time must not show.
        placed = {name: [*reversed(orders)] for name, orders in placed.items()}
        stock.update({name: {"amina": orders} for name, orders in placed.items()})
        if swapped:
            stock["first"], stock["second"] = stock["second"], stock["first"]
        cache.clear()
        seen += numbers(get(client, f"?page={page}&page_size=3"))
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == 14


def test_order_in_two_sources_shows_once_as_the_first_one_tells_it(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"amina": [order("EDX-1", amount=100)]}
    stock["second"] = {"amina": [order("EDX-1", amount=200), order("EDX-2")]}
    body = get(client).json()
    assert body["count"] == 2
    assert {each["number"]: each["total_excl_tax"] for each in body["results"]} == {"EDX-1": "1.00", "EDX-2": "149.00"}


def test_pages_are_linked_with_the_query_kept(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"amina": [order(f"A-{n}") for n in range(5)]}
    body = get(client, "?username=amina&page=2&page_size=2").json()
    assert body["count"] == 5
    assert body["next"] == f"http://testserver{URL}?page=3&page_size=2&username=amina"
    assert body["previous"] == f"http://testserver{URL}?page_size=2&username=amina"


@pytest.mark.parametrize("size", ["0", "-1", "x", ""])
def test_size_that_is_none_is_refused_by_its_name(client: Client, size: str) -> None:
    response = get(client, f"?page_size={size}")
    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == ["page_size"]


@pytest.mark.parametrize("page", ["0", "-1", "x", "last", "2", "99999999999999999999"])
def test_page_that_is_none_is_not_found(client: Client, page: str) -> None:
    response = get(client, f"?page={page}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_page_holds_a_hundred_orders_at_most(client: Client, stock: dict[str, Any]) -> None:
    stock["first"] = {"amina": [order(f"EDX-{n}") for n in range(150)]}
    assert [len(numbers(get(client, f"?{query}"))) for query in ("", "page_size=99999")] == [20, 100]


# --- What is away ---


def test_source_that_is_away_is_a_gap_and_the_others_orders_are_there(client: Client, stock: dict[str, Any]) -> None:
    stock.update(first="away", second={"amina": [order("B-1")]})
    response = get(client)
    assert numbers(response) == ["B-1"]
    assert response.json()["gaps"] == ["first"]


def test_all_sources_away_are_two_gaps_and_no_error(client: Client, stock: dict[str, Any]) -> None:
    stock.update(first="away", second="away")
    assert get(client).json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
        "gaps": ["first", "second"],
    }


@pytest.mark.parametrize("error", [Retry("away"), GiveUp("refused")])
def test_source_whose_step_marks_no_gap_makes_the_answer_unavailable(
    client: Client, stock: dict[str, Any], error: Exception
) -> None:
    stock["second"] = error
    response = get(client)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")


@pytest.mark.parametrize("stock_of_second", [KeyError("a mistake"), {"amina": ["no order"]}])
def test_mistake_in_a_step_is_an_error_and_no_gap(client: Client, stock: dict[str, Any], stock_of_second: Any) -> None:
    stock["second"] = stock_of_second
    client.raise_request_exception = False
    assert get(client).status_code == 500


# --- What it costs ---


def test_statements_are_as_many_for_a_thousand_orders_as_for_one(client: Client, stock: dict[str, Any]) -> None:
    get(client)  # makes the user

    def statements(many: int) -> int:
        cache.clear()
        stock["first"] = {"amina": [order(f"EDX-{n}") for n in range(many)]}
        with CaptureQueriesContext(connection) as captured:
            assert len(numbers(get(client, "?page_size=100"))) == min(many, 100)
        return len(captured)

    assert statements(1) == statements(1000) == 2  # the user, the cache's key
