"""What is no event of Stripe's: refused with a short JSON error, nothing stored, one log line that quotes nothing."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .stripe_events import NOW, PRIVATE, as_bytes, event, mac, payment_intent, post, signature

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MEBIBYTE = 1024 * 1024
BODY = as_bytes(event())
MAC = mac(BODY)
LONE_SURROGATE = "\ud83d"


def raw(text: str) -> bytes:
    """A body with private values in it, which must turn up nowhere."""
    return text.replace("PRIVATE", " ".join(PRIVATE)).encode()


#: What is sent: (status, code, function that posts it).
ROWS: dict[str, tuple[int, str, Callable[[], Any]]] = {
    # --- The signature ---
    "no signature": (400, "signature_missing", lambda: post(BODY, header=None)),
    "a blank signature": (400, "signature_invalid", lambda: post(BODY, header=" ")),
    "a signature of another form": (400, "signature_invalid", lambda: post(BODY, header="sha256=" + MAC)),
    "a signature without a time": (400, "signature_invalid", lambda: post(BODY, header=f"v1={MAC}")),
    "a time that is no number": (400, "signature_invalid", lambda: post(BODY, header=f"t=noon,v1={MAC}")),
    "a time of five thousand digits": (400, "signature_invalid", lambda: post(BODY, header=f"t={'9' * 5000},v1={MAC}")),
    "a time without a signature": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW}")),
    "an empty signature": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW},v1=")),
    "separators alone": (400, "signature_invalid", lambda: post(BODY, header=",=,,==,")),
    "a signature of the test scheme": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW},v0={MAC}")),
    "a signature that is not ASCII": (400, "signature_malformed", lambda: post(BODY, header=f"t={NOW},v1=\xe9{MAC}")),
    "digits that are not ASCII": (400, "signature_malformed", lambda: post(BODY, header=f"t=\u0663,v1={MAC}")),
    "a signature by another secret": (400, "signature_invalid", lambda: post(BODY, secret="whsec_guessed")),
    "a signature of another body": (400, "signature_invalid", lambda: post(BODY, header=signature(b"{}"))),
    "a signature of another time": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW - 1},v1={MAC}")),
    "a signature that is cut off": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW},v1={MAC[:-1]}")),
    "a signature in capitals": (400, "signature_invalid", lambda: post(BODY, header=f"t={NOW},v1={MAC.upper()}")),
    "too old a time": (400, "signature_invalid", lambda: post(BODY, header=signature(BODY, at=NOW - 301))),
    "a time of long ago": (400, "signature_invalid", lambda: post(BODY, header=signature(BODY, at=0))),
    "an account that nobody has": (404, "unknown_account", lambda: post(BODY, account="nobody")),
    # --- The body ---
    "a body that is not UTF-8": (400, "body_not_utf8", lambda: post(raw('{"id": "PRIVATE') + b'\xff"}')),
    "a body in Latin-1": (400, "body_not_utf8", lambda: post('{"id": "Zoë"}'.encode("latin-1"))),
    "no body": (400, "body_not_json", lambda: post(b"")),
    "a form": (400, "body_not_json", lambda: post(raw("email=PRIVATE"))),
    "JSON that is cut off": (400, "body_not_json", lambda: post(BODY[:-1])),
    "JSON twice": (400, "body_not_json", lambda: post(BODY + BODY)),
    "a number too long to read": (400, "body_not_json", lambda: post(raw('{"PRIVATE": %s}' % ("9" * 5000)))),
    "brackets without end": (400, "body_not_json", lambda: post(raw('{"PRIVATE": ' + "[" * 200_000))),
    "nesting too deep to read": (
        400,
        "body_not_json",
        lambda: post(raw('{"PRIVATE": ' + "[" * 200_000 + "]" * 200_000 + "}")),
    ),
    "a list": (400, "body_not_an_object", lambda: post(raw('["PRIVATE"]'))),
    "a text": (400, "body_not_an_object", lambda: post(raw('"PRIVATE"'))),
    "a number": (400, "body_not_an_object", lambda: post(b"7")),
    "null": (400, "body_not_an_object", lambda: post(b"null")),
    "not a number": (400, "body_not_an_object", lambda: post(b"NaN")),
    "no id": (400, "event_id_invalid", lambda: post(event(id=...))),
    "an empty id": (400, "event_id_invalid", lambda: post(event(id=""))),
    "an id that is a number": (400, "event_id_invalid", lambda: post(event(id=7))),
    "an id that is null": (400, "event_id_invalid", lambda: post(event(id=None))),
    "an id that is an object": (400, "event_id_invalid", lambda: post(event(id={"PRIVATE": 1}))),
    "an id of 256 characters": (400, "event_id_invalid", lambda: post(event(id="e" * 256))),
    "an id that is no text": (400, "event_id_invalid", lambda: post(event(id=f"evt_{LONE_SURROGATE}"))),
    "no type": (400, "event_type_invalid", lambda: post(event(type=...))),
    "an empty type": (400, "event_type_invalid", lambda: post(event(type=""))),
    "a type that is a list": (400, "event_type_invalid", lambda: post(event(type=["payment_intent.succeeded"]))),
    "a type that is no text": (400, "event_type_invalid", lambda: post(event(type=LONE_SURROGATE))),
    # --- The size ---
    "a body over one mebibyte": (413, "body_too_large", lambda: post(BODY + b" " * (MEBIBYTE + 1 - len(BODY)))),
    "an announced length over one mebibyte": (413, "body_too_large", lambda: post(BODY, CONTENT_LENGTH=MEBIBYTE + 1)),
    "a length that is no number": (400, "content_length_invalid", lambda: post(BODY, CONTENT_LENGTH="many")),
    # --- The method ---
    **{
        method: (405, "method_not_allowed", lambda method=method: Client().generic(method, "/stripe/webhook/", BODY))
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
    },
    "GET of an account": (405, "method_not_allowed", lambda: Client().get("/stripe/webhook/shop/")),
}


def told(record: logging.LogRecord) -> str:
    """Everything that a log line carries, as text."""
    return f"{record.getMessage()} {record.__dict__}"


@pytest.mark.parametrize(("status", "code", "send"), ROWS.values(), ids=ROWS.keys())
def test_what_is_no_event_is_refused_in_short_and_leaves_nothing(status: int, code: str, send: Any, caplog) -> None:
    answer = send()
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    error = json.loads(answer.content)
    assert error == {"error": {"code": code, "message": error["error"]["message"]}}
    assert re.fullmatch(r"[A-Z][ -~]{9,99}\.", error["error"]["message"])
    assert not InboxEvent.objects.exists()
    assert not Dispatch.objects.exists()
    assert not [value for value in (*PRIVATE, MAC, "whsec_") if value in answer.content.decode()]
    assert not [value for value in (*PRIVATE, MAC, "whsec_") for line in caplog.records if value in told(line)]


def test_each_refusal_is_one_log_line(caplog) -> None:
    lines = {}
    for name, (_, _, send) in ROWS.items():
        caplog.clear()
        send()
        lines[name] = [line.getMessage() for line in caplog.records]
    assert {name: told for name, told in lines.items() if len(told) != 1} == {}


def test_refusal_says_in_the_log_why(caplog) -> None:
    post(BODY, header=None)
    [line] = [line for line in caplog.records if line.getMessage() == "Webhook refused."]
    values = vars(line)
    assert (values["provider"], values["code"], values["status"]) == ("stripe", "signature_missing", 400)
    assert line.levelname == "WARNING"


def test_too_old_a_signature_is_told_from_a_wrong_one() -> None:
    assert "too old" in post(BODY, header=signature(BODY, at=NOW - 301)).json()["error"]["message"]
    assert "does not match" in post(BODY, secret="whsec_guessed").json()["error"]["message"]


def test_too_old_a_signature_is_called_so_whichever_secret_it_is_by(settings) -> None:
    settings.CC_STRIPE_SECRETS = {"": ["whsec_new", "whsec_first"]}
    for secret in ("whsec_new", "whsec_first"):
        answer = post(BODY, header=signature(BODY, secret=secret, at=NOW - 301))
        assert "too old" in answer.json()["error"]["message"], secret


def test_allowed_method_is_named() -> None:
    assert Client().get("/stripe/webhook/")["Allow"] == "POST"


def test_head_is_refused_without_a_body() -> None:
    answer = Client().head("/stripe/webhook/")
    assert (answer.status_code, answer.content) == (405, b"")


def test_account_without_any_secret_lets_nobody_in(settings) -> None:
    settings.CC_STRIPE_SECRETS = {"": []}
    assert post(BODY, secret="").status_code == 404
    assert not InboxEvent.objects.exists()


@pytest.mark.parametrize("secret", ["", " "], ids=["empty", "blank"])
def test_empty_secret_signs_nothing(settings, secret: str) -> None:
    settings.CC_STRIPE_SECRETS = {"": [secret]}
    assert post(BODY, header=f"t={NOW},v1={mac(BODY, secret=secret)}").status_code == 400
    assert not InboxEvent.objects.exists()


def test_nothing_is_parsed_before_the_signature_is_known(monkeypatch) -> None:
    def parse(*_: Any) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("commerce_coordinator.plugins.stripe.webhooks.json.loads", parse)
    assert post(BODY, secret="whsec_guessed").status_code == 400


def test_csrf_is_no_hindrance() -> None:
    body = as_bytes(event(payment_intent()))
    answer = Client(enforce_csrf_checks=True).post(
        "/stripe/webhook/", body, content_type="application/json", headers={"Stripe-Signature": signature(body)}
    )
    assert answer.status_code == 200
