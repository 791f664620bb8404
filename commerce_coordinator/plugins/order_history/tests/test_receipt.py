"""The way to a receipt: by the owner and by staff, to an https address, or nowhere."""

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.rest.testing import as_user

from .steps_for_tests import ASKED, order

pytestmark = pytest.mark.django_db

URL = "/orders/order_receipt/"
RECEIPT = "https://receipts.example.com/EDX-1?a=b"


def get(client: Client, query: str = "?order_number=EDX-1", user: str = "amina", **claims: Any) -> Any:
    return client.get(f"{URL}{query}", headers=as_user(user, **(claims or {"lms_user_id": 7})))


@pytest.fixture(autouse=True)
def receipts(stock: dict[str, Any]) -> dict[str, Any]:
    stock["first"] = {"amina": [order("EDX-1")], "bo": [order("BO-1")]}
    stock["receipts"] = {"EDX-1": RECEIPT, "BO-1": RECEIPT, "FREE-1": RECEIPT}
    return stock


def test_learner_is_sent_to_the_receipt_of_his_order(client: Client) -> None:
    response = get(client)
    assert (response.status_code, response["Location"]) == (303, RECEIPT)
    assert ("receipts", "amina", 7) in ASKED
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("query", ["BO-1", "FREE-1", "NONE-1", "edx-1", "EDX-1%00", "EDX-", "BO-1&username=bo"])
def test_order_that_is_not_his_looks_like_one_that_is_not_there(client: Client, query: str) -> None:
    answer = get(client, f"?order_number={query}")
    nowhere = get(client, "?order_number=SURELY-NOT-THERE")
    if "%00" in query:
        assert answer.status_code == 400
    else:
        assert (answer.status_code, answer.content) == (nowhere.status_code, nowhere.content)
        assert answer.status_code == 404
    # No step may say anything of it, not even by the time that it takes.
    assert not [each for each in ASKED if each[0] == "receipts"]


@pytest.mark.parametrize(
    "query", ["", "?order_number=", "?number=EDX-1", "?order_number=" + "1" * 129, "?order_number=a%20b"]
)
def test_number_that_is_missing_or_none_is_refused_by_its_name(client: Client, query: str) -> None:
    response = get(client, query)
    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == ["order_number"]


def test_order_without_a_receipt_is_not_found(client: Client, receipts: dict[str, Any]) -> None:
    receipts["receipts"] = {}
    assert get(client).status_code == 404


def test_receipt_is_not_found_where_no_step_answers(client: Client, settings: Any) -> None:
    from ..filters import OrderReceiptRequested

    settings.OPEN_EDX_FILTERS_CONFIG = {
        **settings.OPEN_EDX_FILTERS_CONFIG,
        OrderReceiptRequested.filter_type: {"fail_silently": False, "pipeline": []},
    }
    assert get(client).status_code == 404


def test_nobody_is_sent_nowhere(client: Client) -> None:
    assert client.get(f"{URL}?order_number=EDX-1").status_code == 401
    assert ASKED == []


def test_staff_are_sent_to_any_receipt(client: Client) -> None:
    response = get(client, "?order_number=FREE-1", user="support", lms_user_id=1, staff=True)
    assert response.status_code == 303
    assert ASKED == [("receipts", "", None)]


def test_while_a_source_is_away_no_number_tells_whether_it_exists(client: Client, receipts: dict[str, Any]) -> None:
    receipts["second"] = "away"
    assert get(client).status_code == 303
    answers = [get(client, f"?order_number={number}") for number in ("BO-1", "FREE-1", "NONE-1")]
    assert {each.status_code for each in answers} == {503}
    assert len({each.content for each in answers}) == 1


@pytest.mark.parametrize("error", [Retry("away"), GiveUp("refused")])
def test_source_of_receipts_that_is_away_makes_it_unavailable(
    client: Client, receipts: dict[str, Any], error: Exception
) -> None:
    receipts["receipts"] = error
    assert get(client).status_code == 503


@pytest.mark.parametrize(
    "url",
    [
        "http://receipts.example.com/1",
        "//receipts.example.com/1",
        "/receipt/1",
        "javascript:alert(1)",
        "https:///1",
        "https://user:password@receipts.example.com/1",
        "https://shop.example.com\\@evil.example.com/",
        "https://receipts.example.com/a b",
        "https://receipts.example.com/\r\nX: y",
        "https://receipts.example.com/\u00e9",
        "https://[receipts.example.com/",
        "https://receipts.example.com/" + "a" * 2000,
        7,
    ],
)
def test_receipt_elsewhere_than_behind_https_is_no_receipt(
    client: Client, receipts: dict[str, Any], url: Any, caplog: Any
) -> None:
    receipts["receipts"] = {"EDX-1": url}
    response = get(client)
    assert response.status_code == 503
    assert "Location" not in response
    assert "no https address" in caplog.text


def test_number_may_hold_what_an_address_may_not(client: Client, receipts: dict[str, Any]) -> None:
    number = "EDX/1?&=#é"
    receipts["first"] = {"amina": [order(number)]}
    receipts["receipts"] = {number: RECEIPT}
    assert get(client, f"?order_number={quote(number)}").status_code == 303
