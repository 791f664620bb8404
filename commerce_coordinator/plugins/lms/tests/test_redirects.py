"""Browsers that come from the LMS: the learner who wants to pay, the support that wants to see an order."""

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from openedx_filters import PipelineStep

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.rest.testing import as_user, lms_jwt
from commerce_coordinator.core.testing import filters_as

from .. import filters
from ..checks import check_redirects
from .callers import MAY_NOT, headers_of

pytestmark = pytest.mark.django_db

PAY = "/lms/payment_page_redirect/"
ORDER = "/lms/order_details_page_redirect/"
PAYMENT_PAGE = filters.PaymentPageRedirectRequested.filter_type
ORDER_PAGE = filters.OrderDetailsPageRedirectRequested.filter_type


@pytest.fixture(autouse=True)
def shop(settings: Any) -> None:
    settings.CC_STOREFRONT_URL = "https://shop.example.com/basket/"
    settings.CC_ORDER_DETAILS_URL = "https://shop.example.com/orders/{order_number}/?from=lms"


class Asked(PipelineStep):
    """Keeps what it was asked with."""

    values: dict[str, Any] = {}

    def run_filter(self, **values: Any) -> dict[str, Any]:
        type(self).values = values
        return {"redirect_url": "https://shop.example.com/"}


def answering(url: Any) -> type[PipelineStep]:
    class Step(PipelineStep):
        def run_filter(self, **values: Any) -> dict[str, Any]:
            if isinstance(url, Exception):
                raise url
            return {} if url is None else {"redirect_url": url}

    return Step


# --- The payment page ---


def test_learner_comes_to_the_storefront_with_his_query(client: Client) -> None:
    query = "?sku=A%2B1&sku=B2&course_run_key=course-v1%3AX%2BY%2BZ&bundle=&utm_source=lms"
    answer = client.get(PAY + query, headers=headers_of("learner"))
    assert answer.status_code == 303
    where = urlsplit(answer["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == "https://shop.example.com/basket/"
    assert parse_qs(where.query, keep_blank_values=True) == {
        "sku": ["A+1", "B2"],
        "course_run_key": ["course-v1:X+Y+Z"],
        "bundle": [""],
        "utm_source": ["lms"],
    }
    assert "no-store" in answer["Cache-Control"]


def test_session_is_as_good_as_a_token(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("ann"))
    assert client.get(PAY + "?sku=A").status_code == 303


@pytest.mark.parametrize(("claims", "status"), [({}, 303), ({"exp": 1}, 302)])
def test_cookies_of_the_micro_frontends_count_while_they_are_good(
    client: Client, claims: dict[str, Any], status: int
) -> None:
    header_and_payload, _, signature = lms_jwt("ann", **claims).rpartition(".")
    client.cookies["edx-jwt-cookie-header-payload"] = header_and_payload
    client.cookies["edx-jwt-cookie-signature"] = signature
    assert client.get(PAY).status_code == status


@pytest.mark.parametrize(("method", "status"), [("head", 302), ("post", 401)])
def test_only_who_looks_is_sent_to_the_log_in(client: Client, method: str, status: int) -> None:
    assert getattr(client, method)(PAY).status_code == status


def test_who_is_not_logged_in_goes_to_the_log_in_and_back(client: Client, settings: Any) -> None:
    answer = client.get(PAY + "?sku=A&sku=B")
    assert answer.status_code == 302
    where = urlsplit(answer["Location"])
    assert where.path == settings.LOGIN_URL
    assert parse_qs(where.query) == {"next": [PAY + "?sku=A&sku=B"]}


def test_own_query_of_the_storefront_stays(client: Client, settings: Any) -> None:
    settings.CC_STOREFRONT_URL = "https://shop.example.com/?shop=1#top"
    answer = client.get(PAY + "?sku=A", headers=headers_of("learner"))
    assert answer["Location"] == "https://shop.example.com/?shop=1&sku=A#top"


def test_query_cannot_lead_to_another_host(client: Client) -> None:
    for evil in (
        "?next=//evil.example.com",
        "?redirect_url=https://evil.example.com/",
        "?sku=%0d%0aX:%201",
        "?//evil@x",
    ):
        answer = client.get(PAY + evil, headers=headers_of("learner"))
        assert (answer.status_code, urlsplit(answer["Location"]).netloc) == (303, "shop.example.com")


def test_step_is_asked_with_all_that_is_known(client: Client) -> None:
    with filters_as({PAYMENT_PAGE: [Asked]}):
        client.get(PAY + "?sku=A&sku=B&bundle=b&course_run_key=k", headers=headers_of("learner"))
    assert Asked.values == {
        "query": "sku=A&sku=B&bundle=b&course_run_key=k",
        "skus": ["A", "B"],
        "bundle": "b",
        "course_run_key": "k",
        "username": "ann",
        "lms_user_id": 84213577,
    }


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "/basket/",
        "//evil.example.com/",
        "javascript:alert(1)",
        "https://",
        "https://user:pw@shop.example.com/",
        "https://shop.example.com/\r\nX: 1",
        "https://shop.example.com/a b",
        "https://[::1/",
        "https://shop.example.com/" + "a" * 8000,
        7,
        Retry("away"),
        GiveUp("gone"),
    ],
)
def test_pipeline_without_a_good_answer_is_503_and_a_log_line(
    client: Client, caplog: pytest.LogCaptureFixture, url: Any
) -> None:
    with filters_as({PAYMENT_PAGE: [answering(url)]}), caplog.at_level(logging.WARNING):
        answer = client.get(PAY, headers=headers_of("learner"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert [each.filter for each in caplog.records if hasattr(each, "filter")] == [PAYMENT_PAGE]


def test_step_without_an_address_is_503_and_a_warning_at_start(client: Client, settings: Any) -> None:
    assert check_redirects() == []
    settings.CC_STOREFRONT_URL = ""
    settings.CC_ORDER_DETAILS_URL = "https://shop.example.com/orders/"
    assert client.get(PAY, headers=headers_of("learner")).status_code == 503
    assert [(each.id, each.msg.split()[0]) for each in check_redirects()] == [
        ("lms.W001", "CC_STOREFRONT_URL"),
        ("lms.W002", "CC_ORDER_DETAILS_URL"),
    ]
    settings.OPEN_EDX_FILTERS_CONFIG = {}
    assert check_redirects() == []


def test_restricted_application_is_sent_nowhere(client: Client) -> None:
    assert client.get(PAY, headers=as_user("ann", is_restricted=True)).status_code == 403


# --- The order's page ---


def test_support_comes_to_the_orders_page(client: Client) -> None:
    answer = client.get(ORDER, {"order_number": "EDX/1?a=b"}, headers=headers_of("staff"))
    assert (answer.status_code, answer["Location"]) == (
        303,
        "https://shop.example.com/orders/EDX%2F1%3Fa%3Db/?from=lms",
    )


@pytest.mark.parametrize("number", [None, "", " ", "a b", "..", ".", "x" * 129, "a\x00"])
def test_order_needs_a_number(client: Client, number: str | None) -> None:
    query = {} if number is None else {"order_number": number}
    answer = client.get(ORDER, query, headers=headers_of("staff"))
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["order_number"])


def test_orders_page_that_nobody_knows_is_503(client: Client) -> None:
    with filters_as({ORDER_PAGE: []}):
        answer = client.get(ORDER, {"order_number": "EDX-1"}, headers=headers_of("staff"))
    assert answer.status_code == 503


@pytest.mark.parametrize(("caller", "status"), [("anonymous", 302), *MAY_NOT.items()])
def test_orders_page_is_the_supports(client: Client, caller: str, status: int) -> None:
    assert client.get(ORDER, {"order_number": "EDX-1"}, headers=headers_of(caller)).status_code == status


@pytest.mark.parametrize("path", [PAY, ORDER + "?order_number=EDX-1"])
def test_redirect_asks_the_database_once(client: Client, django_assert_num_queries: Any, path: str) -> None:
    client.get(path, headers=headers_of("staff"))
    with django_assert_num_queries(1):  # the caller's account
        assert client.get(path, headers=headers_of("staff")).status_code == 303
