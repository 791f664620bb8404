"""Tokens: who gets one, and which are taken."""

from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commerce_coordinator.accounts.tokens import decode
from commerce_coordinator.plugins.demo_lms.models import StandInClient
from commerce_coordinator.plugins.demo_lms.stand_in import tokens

from .conftest import API, gently

TOKEN = "/demo_lms/oauth2/access_token"


def ask(client: Client, **changes: Any) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.CC_LMS_CLIENT_ID,
        "client_secret": settings.CC_LMS_CLIENT_SECRET,
        "token_type": "jwt",
        **changes,
    }
    return client.post(TOKEN, {name: value for name, value in form.items() if value is not None})


@pytest.mark.django_db
def test_the_services_own_client_gets_a_token_that_works(client: Client) -> None:
    response = ask(client)
    assert response.status_code == 200
    answer = response.json()
    assert answer == {"access_token": answer["access_token"], "token_type": "JWT", "expires_in": 3600}
    listed = client.get(API, {"user": "ada"}, headers={"Authorization": f"JWT {answer['access_token']}"})
    assert (listed.status_code, listed.json()) == (200, [])


@pytest.mark.django_db
def test_a_client_of_the_table_gets_a_token_for_its_own_secret_only(client: Client) -> None:
    sso = StandInClient(client_id="commerce-coordinator-sso")
    sso.set_secret("right")
    sso.save()
    assert "right" not in sso.secret_hash
    assert ask(client, client_id=sso.client_id, client_secret="right").status_code == 200
    assert ask(client, client_id=sso.client_id, client_secret=settings.CC_LMS_CLIENT_SECRET).status_code == 401
    assert ask(client, client_id="Commerce-Coordinator-SSO", client_secret="right").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_secret": "né"}, 401, "invalid_client"),
        ({"client_id": "somebody"}, 401, "invalid_client"),
        ({"client_id": ""}, 401, "invalid_client"),
        ({"client_id": "\x00"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"token_type": "bearer"}, 400, "invalid_request"),
        ({"token_type": None}, 400, "invalid_request"),
    ],
)
def test_a_wrong_request_for_a_token_gets_its_error(
    client: Client, changes: dict[str, Any], status: int, code: str
) -> None:
    response = ask(client, **changes)
    assert (response.status_code, response.json()["error"]) == (status, code)


@pytest.mark.django_db
def test_no_secret_configured_lets_nobody_in(client: Client, settings: Any) -> None:
    settings.CC_LMS_CLIENT_ID = settings.CC_LMS_CLIENT_SECRET = ""
    assert ask(client, client_id="", client_secret="").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=\xc3\xa9"),
        (b"nothing", "multipart/form-data"),
        (b"&".join(b"a=%d" % number for number in range(2000)), "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
    ],
)
def test_a_garbled_form_is_a_400(client: Client, body: bytes, kind: str) -> None:
    response = client.post(TOKEN, body, content_type=kind)
    assert response.status_code == 400
    assert response.json()["error"] in {"invalid_request", "unsupported_grant_type"}


@pytest.mark.django_db
def test_tokens_are_asked_for_by_post(client: Client) -> None:
    response = client.get(TOKEN)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_a_token_runs_out_after_an_hour() -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        header = f"JWT {tokens.issue('a-test')}"
        clock.shift(3599)
        assert tokens.is_authorized(header)
        clock.shift(2)
        assert not tokens.is_authorized(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "JWT",
        "JWT ",
        "JWT nonsense",
        "JWT a.b.c",
        "JWT \xe9.\xe9.\xe9",
        f"Bearer {tokens.issue('a-test')}",
        tokens.issue("a-test"),
        f"JWT {tokens.issue('a-test')}x",
        f"JWT {jwt.encode({'preferred_username': 'a', 'exp': 9999999999, 'aud': 'lms-key'}, 'k' * 32)}",
        f"JWT {jwt.encode({'preferred_username': 'a', 'exp': 9999999999, 'aud': 'lms-key'}, '', algorithm='none')}",
    ],
)
def test_only_our_own_tokens_are_taken(header: str) -> None:
    assert not tokens.is_authorized(header)


@pytest.mark.django_db
def test_a_clients_token_is_taken_by_this_service_as_staffs(client: Client) -> None:
    """As the LMS's are: the user of the client is staff there."""
    token = ask(client).json()["access_token"]
    claims = decode(token)
    assert (claims["preferred_username"], claims["administrator"]) == (settings.CC_LMS_CLIENT_ID, True)


def test_a_token_with_a_monstrous_header_is_just_invalid() -> None:
    assert not tokens.is_authorized(f"JWT {jwt.utils.base64url_encode(b'[' * 100_000).decode()}.e30.x")


@gently
@given(st.text())
def test_garbage_is_never_a_token(text: str) -> None:
    assert not tokens.is_authorized(f"JWT {text}")


@pytest.mark.django_db
@pytest.mark.parametrize("header", [None, "JWT nonsense"])
def test_the_api_answers_401_without_a_valid_token(client: Client, header: str | None) -> None:
    response = client.get(API, {"user": "ada"}, headers={"Authorization": header} if header else None)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("JWT")
    assert "detail" in response.json()
