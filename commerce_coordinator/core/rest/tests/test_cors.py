"""Which pages of other origins may call: those that are named, and no other."""

from typing import Any

import pytest
from django.test import Client

ORDERS = "https://orders.example.com"
PATH = "/csrf/api/v1/token"
ORIGIN = "Access-Control-Allow-Origin"


@pytest.fixture(autouse=True)
def one_origin(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORDERS]


def preflight(client: Client, origin: str, path: str = PATH) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, use-jwt-cookie, x-csrftoken",
    }
    return client.options(path, headers=headers)


def test_a_named_origin_may_call_with_cookies(client: Client) -> None:
    response = preflight(client, ORDERS)
    assert (response.status_code, response.headers[ORIGIN]) == (200, ORDERS)
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    allowed = response.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"content-type", "use-jwt-cookie", "x-csrftoken", "authorization"} <= set(allowed)
    answer = client.get(PATH, headers={"Origin": ORDERS})
    assert (answer.status_code, answer.headers[ORIGIN]) == (200, ORDERS)
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "http://orders.example.com", f"{ORDERS}.evil.example.com", f"{ORDERS}:1", "null"],
)
def test_no_other_origin_may(client: Client, origin: str) -> None:
    assert ORIGIN not in preflight(client, origin).headers
    assert ORIGIN not in client.get(PATH, headers={"Origin": origin}).headers


def test_the_admin_is_for_its_own_origin_only(client: Client) -> None:
    assert ORIGIN not in preflight(client, ORDERS, "/admin/login/").headers


def test_errors_are_read_by_the_page_too(client: Client) -> None:
    response = client.get("/nothing/here/", headers={"Origin": ORDERS})
    assert (response.status_code, response.headers[ORIGIN]) == (404, ORDERS)


def test_an_https_redirect_does_not_stand_before_the_preflight(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert preflight(client, ORDERS).status_code == 200


def test_a_webhook_passes_by_all_that(settings: Any) -> None:
    order = [each.rpartition(".")[2] for each in settings.MIDDLEWARE]
    assert order[:2] == ["HealthMiddleware", "WebhookMiddleware"]
    assert order.index("CorsMiddleware") < order.index("SecurityMiddleware") < order.index("CommonMiddleware")
    assert order.index("JwtAuthCookieMiddleware") < order.index("AuthenticationMiddleware")
