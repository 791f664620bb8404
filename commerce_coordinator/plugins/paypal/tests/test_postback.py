"""The other way to verify: PayPal is asked, with the very bytes that came."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine

from commerce_coordinator.core.inbox.models import InboxEvent

from . import pki
from .paypal_events import API, CERT_URL, WEBHOOK_ID, PayPalServer, answer, completed, no_route, post, signed_headers

pytestmark = [pytest.mark.django_db, pytest.mark.database]

TOKEN, VERIFY = f"{API}/v1/oauth2/token", f"{API}/v1/notifications/verify-webhook-signature"


def says(status: int = 200, **told: Any) -> Any:
    return lambda _: answer(json.dumps(told).encode(), status=status)


@pytest.fixture(autouse=True)
def asks(settings: Any, paypal: PayPalServer) -> PayPalServer:
    settings.CC_PAYPAL[""]["verification"] = "postback"
    paypal.answers[TOKEN] = says(access_token="A21", token_type="Bearer", expires_in=32400)
    paypal.answers[VERIFY] = says(verification_status="SUCCESS")
    return paypal


def asked_at(paypal: PayPalServer, url: str) -> list[Any]:
    return [each for each in paypal.asked if each.url == url]


def test_event_is_kept_when_paypal_says_success(paypal: PayPalServer) -> None:
    body = '{"id": "WH-1",  "event_type": "X", "note": "Zoë \\u00e9"}'.encode()
    assert post(body).status_code == 200
    token, verify = paypal.asked
    assert (token.url, token.body) == (TOKEN, "grant_type=client_credentials")
    assert token.headers["Authorization"] == "Basic " + base64.b64encode(b"app:d7xW").decode()
    assert (verify.url, verify.headers["Authorization"]) == (VERIFY, "Bearer A21")
    assert body in verify.body, "the body is not asked about byte for byte"
    asked = json.loads(verify.body)
    headers = signed_headers(body)
    assert asked == {
        "auth_algo": "SHA256withRSA",
        "cert_url": CERT_URL,
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "webhook_id": WEBHOOK_ID,
        "webhook_event": json.loads(body),
    }


@pytest.mark.parametrize(
    "told", [{"verification_status": "FAILURE"}, {"verification_status": "success"}, {}, {"verification_status": True}]
)
def test_anything_but_success_is_a_refusal(paypal: PayPalServer, told: Any) -> None:
    paypal.answers[VERIFY] = says(**told)
    response = post(completed())
    assert (response.status_code, response.json()["error"]["code"]) == (400, "signature_invalid")
    assert not InboxEvent.objects.exists()


def test_question_that_paypal_finds_wrong_is_a_refusal(paypal: PayPalServer) -> None:
    paypal.answers[VERIFY] = says(400, name="VALIDATION_ERROR")
    assert post(completed()).status_code == 400


@pytest.mark.parametrize("url", [TOKEN, VERIFY])
@pytest.mark.parametrize(
    "trouble",
    [
        no_route,
        says(500),
        says(503),
        says(401),
        says(403),
        says(429),
        says(302),
        lambda _: answer(b"<html>"),
    ],
)
def test_paypal_away_is_503(paypal: PayPalServer, url: str, trouble: Any) -> None:
    paypal.answers[url] = trouble
    response = post(completed())
    assert (response.status_code, response.json()["error"]["code"]) == (503, "postback_unavailable")
    assert response["Retry-After"] == "30"
    assert not InboxEvent.objects.exists()


@pytest.mark.parametrize("told", [{}, {"access_token": 7}, {"access_token": "A", "expires_in": "soon"}])
def test_answer_without_a_token_is_503(paypal: PayPalServer, told: Any) -> None:
    paypal.answers[TOKEN] = says(**told)
    assert post(completed()).status_code == 503


def test_each_webhook_id_is_asked_about(settings: Any, paypal: PayPalServer) -> None:
    settings.CC_PAYPAL[""]["webhook_ids"] = ["OLD", "NEW"]

    def verify(request: requests.PreparedRequest) -> requests.Response:
        new = json.loads(request.body or b"")["webhook_id"] == "NEW"
        return answer(json.dumps({"verification_status": "SUCCESS" if new else "FAILURE"}).encode())

    paypal.answers[VERIFY] = verify
    assert post(completed()).status_code == 200
    assert len(asked_at(paypal, VERIFY)) == 2


def test_token_is_fetched_once_until_it_ends(paypal: PayPalServer) -> None:
    for number in range(3):
        post({**completed(), "id": f"WH-{number}"})
    assert len(asked_at(paypal, TOKEN)) == 1
    with time_machine.travel(pki.NOON + timedelta(seconds=32400), tick=False):
        post({**completed(), "id": "WH-9"})
    assert len(asked_at(paypal, TOKEN)) == 2


def test_refused_token_is_fetched_anew(paypal: PayPalServer) -> None:
    paypal.answers[VERIFY] = says(401)
    post(completed())
    paypal.answers[VERIFY] = says(verification_status="SUCCESS")
    assert post(completed()).status_code == 200
    assert len(asked_at(paypal, TOKEN)) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "WH-1"}, "webhook_id": "ANOTHER", "x": {}',
        b'{"id": "WH-1"}}',
        b"[]",
        b"not json",
        b"\xff",
        b"[" * 200_000,
    ],
)
def test_body_cannot_put_words_into_our_question(paypal: PayPalServer, body: bytes) -> None:
    assert post(body).status_code == 400
    assert paypal.asked == []


@pytest.mark.parametrize("changes", [{"auth_algo": "SHA1withRSA"}, {"cert_url": "https://example.com/v1/x"}])
def test_headers_are_read_as_strictly(paypal: PayPalServer, changes: Any) -> None:
    assert post(completed(), headers=signed_headers(b"{}", **changes)).status_code == 400
    assert paypal.asked == []


def test_nothing_secret_is_logged(paypal: PayPalServer, caplog: pytest.LogCaptureFixture) -> None:
    paypal.answers[VERIFY] = says(500)
    post(completed())
    assert "d7xW" not in str([vars(each) for each in caplog.records])
    assert "A21" not in str([vars(each) for each in caplog.records])


def test_api_url_can_be_another(settings: Any, paypal: PayPalServer) -> None:
    settings.CC_PAYPAL[""]["api_url"] = "http://localhost:9/"
    post(completed())
    assert paypal.asked[0].url == "http://localhost:9/v1/oauth2/token"
