"""JWTs of the LMS: only the right ones, for the right account, in the header or in the two cookies."""

import base64
import hashlib
import hmac
import io
import json
import logging
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings
from django.test import Client

from commerce_coordinator.accounts.models import User
from commerce_coordinator.core.rest.testing import as_user, lms_jwt
from commerce_coordinator.core.telemetry.logs import logging_settings

pytestmark = pytest.mark.django_db


def call(client: Client, path: str, token: str) -> Any:
    return client.get(path, headers={"Authorization": f"JWT {token}"})


def assert_401(response: Any) -> None:
    assert response.status_code == 401, response.content
    assert response.headers["WWW-Authenticate"] == 'JWT realm="api"'
    assert response.json()["error"]["code"] in {"authentication_failed", "not_authenticated"}


# --- Who is known ---


def test_a_learner_never_seen_is_made_by_his_token(client: Client, whoami: str) -> None:
    assert client.get(whoami, headers=as_user("ada", lms_user_id=7)).json() == {"username": "ada", "staff": False}
    ada = User.objects.get()
    assert (ada.username, ada.email, ada.lms_user_id) == ("ada", "ada@example.com", 7)
    assert not ada.has_usable_password() and not ada.is_superuser and not ada.is_staff


def test_what_the_token_says_later_counts(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada", lms_user_id=7))
    response = client.get(whoami, headers=as_user("ada", lms_user_id=7, staff=True, email="new@example.com"))
    assert response.json()["staff"] is True
    assert User.objects.get().email == "new@example.com"
    client.get(whoami, headers=as_user("ada", lms_user_id=7))
    assert User.objects.get().is_staff is False, "and is taken back"


def test_what_the_token_does_not_say_stays(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada", lms_user_id=7, staff=True))
    client.get(whoami, headers=as_user("ada", lms_user_id=None, administrator=None, email=None))
    ada = User.objects.get()
    assert (ada.lms_user_id, ada.is_staff, ada.email) == (7, True, "ada@example.com")


def test_a_service_without_the_scope_user_id_is_known_and_given_its_id_later(client: Client, whoami: str) -> None:
    assert client.get(whoami, headers=as_user("worker", lms_user_id=None, staff=True)).status_code == 200
    assert client.get(whoami, headers=as_user("worker", lms_user_id=3, staff=True)).status_code == 200
    assert User.objects.get().lms_user_id == 3


def test_a_known_user_costs_one_statement(client: Client, whoami: str, django_assert_num_queries: Any) -> None:
    headers = as_user("ada")
    client.get(whoami, headers=headers)
    with django_assert_num_queries(1):
        assert client.get(whoami, headers=headers).status_code == 200


@pytest.mark.parametrize("local", [{"is_superuser": True}, {"is_staff": True, "password": "x"}, {"password": "x"}])
def test_a_name_taken_on_the_lms_opens_no_local_account(client: Client, whoami: str, local: dict[str, Any]) -> None:
    admin = User.objects.create_user("admin", "admin@localhost", **local)
    for claims in ({}, {"staff": True}, {"lms_user_id": None}):
        assert_401(client.get(whoami, headers=as_user("admin", **claims)))
    kept = User.objects.get()
    assert (kept.email, kept.lms_user_id, kept.is_staff) == ("admin@localhost", None, admin.is_staff)


def test_a_superuser_who_is_linked_to_the_lms_keeps_what_he_was_given_here(client: Client, whoami: str) -> None:
    User.objects.create_user("boss", is_superuser=True, is_staff=True, lms_user_id=9)
    assert client.get(whoami, headers=as_user("boss", lms_user_id=9)).json()["staff"] is True
    assert_401(client.get(whoami, headers=as_user("boss", lms_user_id=10)))
    assert_401(client.get(whoami, headers=as_user("boss", lms_user_id=None)))


def test_a_name_that_changed_hands_is_refused(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada", lms_user_id=7))
    assert_401(client.get(whoami, headers=as_user("ada", lms_user_id=8)))
    assert User.objects.get().lms_user_id == 7


@pytest.mark.database
def test_two_names_with_one_id_are_a_401(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada", lms_user_id=7))
    assert_401(client.get(whoami, headers=as_user("bob", lms_user_id=7)))
    client.get(whoami, headers=as_user("cid", lms_user_id=None))
    assert_401(client.get(whoami, headers=as_user("cid", lms_user_id=7)))
    assert set(User.objects.values_list("username", "lms_user_id")) == {("ada", 7), ("cid", None)}


@pytest.mark.database
def test_a_name_that_differs_in_case_is_not_the_same(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada", lms_user_id=7))
    response = client.get(whoami, headers=as_user("Ada", lms_user_id=8))
    # MariaDB takes both names for one, and so refuses; SQLite makes a second user.
    assert response.status_code == 401 or response.json()["username"] == "Ada"
    assert User.objects.get(lms_user_id=7).username == "ada"


def test_an_account_that_is_switched_off_is_a_401(client: Client, whoami: str) -> None:
    client.get(whoami, headers=as_user("ada"))
    User.objects.update(is_active=False)
    assert_401(client.get(whoami, headers=as_user("ada")))


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": None},
        {"preferred_username": ""},
        {"preferred_username": 5},
        {"preferred_username": ["ada"]},
        {"preferred_username": "a" * 151},
        {"preferred_username": "a\x00"},
        {"preferred_username": "a\ud800"},
        {"preferred_username": " ada"},
        {"user_id": "7"},
        {"user_id": 0},
        {"user_id": -1},
        {"user_id": True},
        {"user_id": 2**63},
        {"user_id": 1.5},
    ],
)
def test_claims_that_name_nobody_are_a_401(client: Client, whoami: str, claims: dict[str, Any]) -> None:
    assert_401(client.get(whoami, headers=as_user("ada", **claims)))
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["", "x", "a" * 250 + "@b.de", "a\x00@b.de", 5, ["a@b.de"], "a@b\ud800"])
def test_an_address_that_is_none_is_left_out(client: Client, whoami: str, email: Any) -> None:
    assert client.get(whoami, headers=as_user("ada", email=email)).status_code == 200
    assert User.objects.get().email == ""


# --- Which tokens are right ---


def private_key() -> Any:
    return jwt.PyJWK(json.loads(django_settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"]), algorithm="RS512").key


def claims_of(**changes: Any) -> dict[str, Any]:
    return {**jwt.decode(lms_jwt("ada"), options={"verify_signature": False}), **changes}


def part(value: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def hs256_with_the_public_key() -> str:
    """The old confusion: the public key, which everybody has, used as a secret. PyJWT would not sign it."""
    public = private_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims_of(administrator=True))
    signature = base64.urlsafe_b64encode(hmac.new(pem, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + signature).decode()


WRONG = {
    "expired": lambda: lms_jwt("ada", exp=int(time.time()) - 10),
    "not yet": lambda: lms_jwt("ada", nbf=int(time.time()) + 100),
    "no end": lambda: lms_jwt("ada", exp=None),
    "no beginning": lambda: lms_jwt("ada", iat=None),
    "another issuer": lambda: lms_jwt("ada", iss="https://evil.example.com"),
    "no issuer": lambda: lms_jwt("ada", iss=None),
    "another audience": lambda: lms_jwt("ada", aud="another"),
    "no audience": lambda: lms_jwt("ada", aud=None),
    "a later version": lambda: lms_jwt("ada", version="2.0.0"),
    "an odd version": lambda: lms_jwt("ada", version=["1"]),
    "an odd end": lambda: lms_jwt("ada", exp="soon"),
    "an endless end": lambda: jwt.encode(claims_of(exp=float("inf")), private_key(), algorithm="RS512"),
    "another key": lambda: jwt.encode(claims_of(), rsa.generate_private_key(65537, 2048), algorithm="RS512"),
    "RS256": lambda: jwt.encode(claims_of(), private_key(), algorithm="RS256"),
    "none": lambda: jwt.encode(claims_of(), "", algorithm="none"),
    "HS256 with the public key": hs256_with_the_public_key,
    "no JSON": lambda: "a.b.c",
    "no parts": lambda: "nonsense",
    "no object": lambda: f"{part([]).decode()}.{part([]).decode()}.x",
    "monstrous": lambda: base64.urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.x",
    "changed": lambda: lms_jwt("ada").replace(".", ".e", 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_token_is_a_401(client: Client, whoami: str, name: str) -> None:
    assert_401(call(client, whoami, WRONG[name]()))
    assert not User.objects.exists()


def test_a_token_that_names_no_key_is_tried_with_each(client: Client, whoami: str) -> None:
    assert call(client, whoami, jwt.encode(claims_of(), private_key(), algorithm="RS512")).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "Token"])
def test_no_other_scheme_counts(client: Client, whoami: str, scheme: str) -> None:
    assert_401(client.get(whoami, headers={"Authorization": f"{scheme} {lms_jwt('ada')}"}))


def test_without_keys_no_token_is_right(client: Client, whoami: str, settings: Any) -> None:
    settings.JWT_AUTH = {**settings.JWT_AUTH, "JWT_PUBLIC_SIGNING_JWK_SET": ""}
    assert_401(call(client, whoami, lms_jwt("ada")))
    assert_401(call(client, whoami, jwt.encode(claims_of(), "k" * 32, algorithm="HS256")))


# --- Cookies of the micro-frontends ---


JSON = "application/json"


def with_cookies(token: str, **options: Any) -> Client:
    client = Client(**options)
    header_and_payload, signature = token.rsplit(".", 1)
    client.cookies["edx-jwt-cookie-header-payload"] = header_and_payload
    client.cookies["edx-jwt-cookie-signature"] = signature
    return client


def test_the_two_cookies_are_one_token(whoami: str) -> None:
    client = with_cookies(lms_jwt("ada"))
    assert client.get(whoami).json()["username"] == "ada"
    del client.cookies["edx-jwt-cookie-signature"]
    assert_401(client.get(whoami))


def test_a_cookie_posts_with_a_csrf_token_only(whoami: str) -> None:
    client = with_cookies(lms_jwt("ada"), enforce_csrf_checks=True)
    refused = client.post(whoami, "{}", content_type=JSON)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")
    token = client.get("/csrf/api/v1/token").json()["csrfToken"]
    assert client.post(whoami, "{}", content_type=JSON, headers={"X-CSRFToken": token}).json()["username"] == "ada"


def test_a_cookies_bad_body_is_no_question_of_who_calls(whoami: str) -> None:
    client = with_cookies(lms_jwt("ada"), enforce_csrf_checks=True)
    client.get("/csrf/api/v1/token")
    assert client.post(whoami, "{", content_type=JSON).status_code == 400
    assert client.post(whoami, "a=b", content_type="application/x-www-form-urlencoded").status_code == 415


def test_a_header_posts_without(whoami: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(whoami, "{}", content_type=JSON, headers=as_user("ada")).status_code == 200


def test_a_session_posts_with_a_csrf_token_only(whoami: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("operator"))
    assert client.post(whoami, "{}", content_type=JSON).status_code == 403
    token = client.get("/csrf/api/v1/token").json()["csrfToken"]
    assert client.post(whoami, "{}", content_type=JSON, headers={"X-CSRFToken": token}).status_code == 200


def test_a_cookie_that_ran_out_leaves_the_session_its_chance(whoami: str) -> None:
    client = with_cookies(lms_jwt("ada", exp=int(time.time()) - 10))
    assert_401(client.get(whoami))
    client.force_login(User.objects.create_user("ada"))
    assert client.get(whoami).json()["username"] == "ada"


def test_a_cookie_for_an_account_that_may_not_be_used_is_final(whoami: str) -> None:
    User.objects.create_user("admin", password="x")
    assert_401(with_cookies(lms_jwt("admin")).get(whoami))


# --- Logs ---


def test_neither_name_nor_address_comes_into_the_logs(whoami: str) -> None:
    stream = io.StringIO()
    configured = logging_settings(json=True, level="DEBUG")
    changed: list[tuple[logging.Logger, int]] = []
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    for name, options in configured["loggers"].items():
        changed.append((logging.getLogger(name), logging.getLogger(name).level))
        logging.getLogger(name).setLevel(options["level"])
    changed.append((root, root.level))
    root.setLevel("INFO")
    root.addHandler(handler)
    try:
        client = Client()
        client.get(whoami, headers=as_user("adalovelace", lms_user_id=7))
        client.get(whoami, headers=as_user("adalovelace", lms_user_id=7, staff=True, email="augusta@example.com"))
        client.get(whoami, headers=as_user("adalovelace", lms_user_id=8))
        client.get(whoami, headers=as_user("otherlovelace", lms_user_id=7))
        User.objects.create_user("locallovelace", password="x")
        client.get(whoami, headers=as_user("locallovelace"))
        with_cookies(lms_jwt("adalovelace", lms_user_id=9)).get(whoami)
        call(client, whoami, lms_jwt("adalovelace", exp=1))
        logging.getLogger("edx_rest_framework_extensions.auth.jwt.authentication").error("of adalovelace")
        logging.getLogger("auth_backends.backends").error("of adalovelace")
    finally:
        root.removeHandler(handler)
        for logger, level in changed:
            logger.setLevel(level)
    assert "A token was refused." in stream.getvalue()
    assert "lovelace" not in stream.getvalue() and "augusta" not in stream.getvalue()
