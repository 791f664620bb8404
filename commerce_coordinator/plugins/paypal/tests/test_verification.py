"""Who is believed, by which certificate, and what is fetched for it."""

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .. import certificates
from ..models import PayPalCertificate
from . import pki
from .paypal_events import (
    CERT_URL,
    LIVE_CERT_URL,
    PayPalServer,
    answer,
    as_bytes,
    completed,
    no_route,
    post,
    post_live,
    signed_headers,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BODY = as_bytes(completed())


def refused(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not InboxEvent.objects.exists()
    assert not Dispatch.objects.exists()


# --- Who is believed ---


@pytest.mark.parametrize("slash", ["/", ""])
def test_signed_payment_is_kept_and_sent_in_one(slash: str) -> None:
    response = post(completed(), slash=slash)
    row = InboxEvent.objects.get()
    assert (response.status_code, response.json()) == (200, {"status": "sent", "id": str(row.pk)})
    assert (row.provider, row.event_type) == ("paypal", "PAYMENT.CAPTURE.COMPLETED")
    assert bytes(row.raw_body or b"") == BODY
    assert Dispatch.objects.get().subject == "EDX-1"


def test_live_account_is_believed_by_lives_certificate() -> None:
    assert post_live(completed()).json()["status"] == "sent"
    assert InboxEvent.objects.get().account == "shop"


def test_two_webhook_ids_are_valid_while_one_is_changed() -> None:
    assert post_live(completed(), webhook_id="2NDNEW1234567890A").status_code == 200


def test_unknown_account_is_404_and_nothing_is_fetched(paypal: PayPalServer) -> None:
    refused(post(completed(), account="nobody"), 404, "unknown_account")
    assert paypal.asked == []


@pytest.mark.parametrize(
    "accounts", [{}, None, {"": {"webhook_ids": []}}, {"": {"webhook_ids": [" "]}}, {"": {"webhook_ids": 7}}, {"": "x"}]
)
def test_without_a_webhook_id_nobody_is_let_in(settings: Any, accounts: Any) -> None:
    settings.CC_PAYPAL = accounts
    refused(post(completed(), webhook_id=" "), 404, "unknown_account")


def test_webhook_id_that_is_a_text_is_one_id(settings: Any) -> None:
    settings.CC_PAYPAL[""]["webhook_ids"] = "5WH04942BU312345X"
    refused(post(completed(), webhook_id="5"), 400, "signature_invalid")
    assert post(completed()).status_code == 200


def test_simulator_is_believed_in_a_sandbox_alone() -> None:
    refused(post_live(completed(), webhook_id="WEBHOOK_ID"), 400, "signature_invalid")
    assert post(completed(), webhook_id="WEBHOOK_ID").status_code == 200


def test_unknown_environment_is_as_strict_as_live(settings: Any) -> None:
    settings.CC_PAYPAL["shop"]["environment"] = "prod"
    refused(post_live(completed(), webhook_id="WEBHOOK_ID"), 400, "signature_invalid")


def test_live_account_takes_no_address_of_the_sandbox(paypal: PayPalServer) -> None:
    refused(post_live(completed(), cert_url=CERT_URL), 400, "certificate_url_forbidden")
    assert paypal.asked == []


def test_live_account_takes_no_name_of_the_sandbox(paypal: PayPalServer) -> None:
    paypal.answers[LIVE_CERT_URL] = pki.chain()
    refused(post_live(completed()), 400, "certificate_refused")


def test_sandbox_takes_lives_certificate() -> None:
    assert post(completed(), cert_url=LIVE_CERT_URL).status_code == 200


def test_signature_covers_raw_bytes_that_are_not_ascii() -> None:
    body = '{"id": "WH-1", "event_type": "X", "note": "Zoë 学ぶ"}'.encode()
    refused(post(body.replace("ë".encode(), b"\\u00eb"), headers=signed_headers(body)), 400, "signature_invalid")
    assert post(body).json()["status"] == "ignored"


def test_old_transmission_is_believed() -> None:
    with time_machine.travel(pki.NOON + timedelta(days=3), tick=False):
        assert post(completed()).status_code == 200


def test_same_event_twice_is_a_duplicate() -> None:
    assert [post(completed()).json()["status"] for _ in "12"] == ["sent", "duplicate"]


# --- Headers ---

HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"no {name}": ("signature_missing", {name: ...})
        for name in ("transmission_id", "transmission_time", "transmission_sig", "cert_url")
    },
    "no algorithm": ("signature_missing", {"auth_algo": ...}),
    **{
        f"algorithm {name!r}": ("algorithm_unknown", {"auth_algo": name})
        for name in ("SHA1withRSA", "sha256withrsa", "SHA256withRSA,SHA256withRSA", "none", "SHA256withECDSA", "HS256")
    },
    "algorithm with a blank": ("algorithm_unknown", {"auth_algo": "SHA256withRSA "}),
    "id twice": ("signature_malformed", {"transmission_id": "69cd13f0-d67a,69cd13f0-d67a"}),
    "bar in the id": ("signature_malformed", {"transmission_id": "69cd13f0|d67a"}),
    "long id": ("signature_malformed", {"transmission_id": "a" * 65}),
    "id that is not ASCII": ("signature_malformed", {"transmission_id": "69cd13f0-d67\xe9"}),
    "bar in the time": ("signature_malformed", {"transmission_time": "2026-03-01|11:59:55Z"}),
    "time in words": ("signature_malformed", {"transmission_time": "yesterday at noon"}),
    "signature that is no base64": ("signature_malformed", {"transmission_sig": "!" * 344}),
    "base64 with a line break": ("signature_malformed", {"transmission_sig": "QUJD\tREVG"}),
    "base64 without its end": ("signature_malformed", {"transmission_sig": "QQ"}),
    "base64 with bits to spare": ("signature_malformed", {"transmission_sig": "QR=="}),
    "url-safe base64": ("signature_malformed", {"transmission_sig": "__-_"}),
    "huge signature": ("signature_malformed", {"transmission_sig": "A" * 4096}),
    "signature of another": ("signature_invalid", {"transmission_sig": "QUJD"}),
    "another time": ("signature_invalid", {"transmission_time": "2026-03-01T11:59:56Z"}),
    "another id": ("signature_invalid", {"transmission_id": "69cd13f0-d67a-11e5-baa3-778b53f4ae56"}),
}


@pytest.mark.parametrize(("code", "changes"), HEADERS.values(), ids=HEADERS.keys())
def test_headers_are_read_strictly(code: str, changes: dict[str, Any], paypal: PayPalServer) -> None:
    refused(post(BODY, headers=signed_headers(BODY, **changes)), 400, code)
    if code != "signature_invalid":
        assert paypal.asked == []


def test_nothing_is_parsed_before_the_signature_is_known(monkeypatch: Any) -> None:
    def parse(*_: Any) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("commerce_coordinator.plugins.paypal.webhooks.PayPalWebhookView.parse", parse)
    refused(post(BODY, headers=signed_headers(b"{}")), 400, "signature_invalid")


def test_refusal_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    response = post(BODY, headers=signed_headers(BODY, auth_algo="EVIL-1"))
    [line] = [each for each in caplog.records if each.getMessage() == "Webhook refused."]
    assert line.levelno == logging.WARNING
    assert "EVIL" not in response.content.decode() + str(vars(line))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "body_not_an_object"),
        (b"{", "body_not_json"),
        (b"\xff\xfe{\x00}\x00", "body_not_json"),
        (b"[" * 200_000, "body_not_json"),
        (b'{"id": 7, "event_type": "X"}', "event_id_invalid"),
        (b'{"id": "", "event_type": "X"}', "event_id_invalid"),
        (b'{"id": "WH-1", "event_type": "\\ud83d"}', "event_type_invalid"),
        (b'{"id": "WH-1"}', "event_type_invalid"),
    ],
)
def test_signed_bytes_that_are_no_event_are_refused(body: bytes, code: str) -> None:
    refused(post(body), 400, code)


def test_get_is_not_allowed() -> None:
    assert Client().get("/paypal/webhook/").status_code == 405


# --- Addresses ---

ADDRESSES = [
    "http://api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:/v1/notifications/certs/CERT-1",
    "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com:pw@example.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com@example.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com.example.com/v1/notifications/certs/CERT-1",
    "https://api-paypal.com/v1/notifications/certs/CERT-1",
    "https://apixpaypal.com/v1/notifications/certs/CERT-1",
    "https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
    "https://www.paypal.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com./v1/notifications/certs/CERT-1",
    "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
    "https://xn--api-paypal.com/v1/notifications/certs/CERT-1",
    "https://127.0.0.1/v1/notifications/certs/CERT-1",
    "https://[::1]/v1/notifications/certs/CERT-1",
    "https://169.254.169.254/v1/notifications/certs/CERT-1",
    "https://localhost/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/CERT-1#@example.com",
    "https://api.paypal.com#@example.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com\\@example.com/v1/notifications/certs/CERT-1",
    "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
    "https://api.paypal.com/v1/notifications/certs/../../v1/x",
    "https://api.paypal.com/v1/notifications/certs/%2e%2e/x",
    "https://api.paypal.com/v1/notifications/certs/",
    "https://api.paypal.com/v1/notifications/webhooks/CERT-1",
    "https://api.paypal.com//v1/notifications/certs/CERT-1",
    "//api.paypal.com/v1/notifications/certs/CERT-1",
    "file:///etc/passwd",
    "https://api.paypal.com/v1/notifications/certs/CERT-" + "1" * 200,
    f"{CERT_URL} ",
    f"{CERT_URL},{CERT_URL}",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_any_other_address_is_refused_and_not_fetched(url: str, paypal: PayPalServer) -> None:
    refused(post(BODY, headers=signed_headers(BODY, cert_url=url)), 400, "certificate_url_forbidden")
    assert paypal.asked == []


@pytest.mark.parametrize(
    "url",
    [
        CERT_URL.replace("paypal.com", "paypal.com:443"),
        CERT_URL.replace("api.", "api-m."),
        LIVE_CERT_URL.replace("api.", "api-m."),
    ],
)
def test_twins_and_the_usual_port_are_addresses_of_paypals(url: str, paypal: PayPalServer) -> None:
    paypal.answers[url.replace(":443", "")] = pki.chain()
    assert post(completed(), cert_url=url).status_code == 200
    assert [each.url for each in paypal.asked] == [url.replace(":443", "")]


# --- Chains ---


@pytest.mark.parametrize("name", pki.bad_chains())
def test_certificate_that_is_not_paypals_is_refused_and_not_kept(name: str, paypal: PayPalServer) -> None:
    paypal.answers[CERT_URL] = pki.bad_chains()[name]
    refused(post(completed()), 400, "certificate_refused")
    assert not PayPalCertificate.objects.exists()


def test_wrong_key_signs_nothing() -> None:
    refused(post(completed(), key="stranger"), 400, "signature_invalid")


def test_chain_to_a_root_that_is_not_trusted_is_refused(settings: Any) -> None:
    settings.CC_PAYPAL_TRUSTED_ROOTS = ""  # certifi's
    refused(post(completed()), 400, "certificate_refused")


def test_certifis_roots_are_read(settings: Any) -> None:
    """All but those with a serial number that RFC 5280 does not allow: one of them must not cost all others."""
    import certifi

    text = Path(certifi.where()).read_bytes()
    assert len(certificates.root_certificates(text)) >= text.count(b"-----BEGIN CERTIFICATE-----") - 3
    assert len(certificates.root_certificates(b"junk\n" + pki.pem(pki.root()) + pki.pem(pki.root())[:99])) == 1


def test_roots_that_cannot_be_read_are_our_trouble(settings: Any) -> None:
    settings.CC_PAYPAL_TRUSTED_ROOTS = "/nowhere/roots.pem"
    response = post(completed())
    refused(response, 503, "roots_unreadable")
    assert response["Retry-After"] == "30"


# --- What is fetched, and how often ---

TROUBLES: dict[str, tuple[int, Any]] = {
    "no such certificate": (503, lambda _: answer(b"", status=404)),
    "PayPal is away": (503, lambda _: answer(b"", status=502)),
    "nobody answers": (503, no_route),
    "an HTML page": (503, b"<html>maintenance</html>"),
    "an empty answer": (503, lambda _: answer(b"")),
    "bytes that are not ASCII": (503, b"\xff\xfe"),
    "more than 64 KiB": (503, b"x" * (64 * 1024 + 1)),
    "a redirection": (400, lambda _: answer(b"", status=302, headers={"Location": LIVE_CERT_URL})),
    "a redirection without a place": (400, lambda _: answer(b"", status=304)),
}


@pytest.mark.parametrize(("status", "trouble"), TROUBLES.values(), ids=TROUBLES.keys())
def test_certificate_that_cannot_be_had(status: int, trouble: Any, paypal: PayPalServer) -> None:
    paypal.answers[CERT_URL] = trouble
    for _ in range(3):
        response = post(completed())
        assert response.status_code == status
        assert ("Retry-After" in response) == (status == 503)
    assert len(paypal.asked) == 1, "a failure is fetched again at once"
    assert not InboxEvent.objects.exists()
    paypal.answers[CERT_URL] = pki.chain()
    with time_machine.travel(pki.NOON + timedelta(minutes=6), tick=False):
        assert post(completed()).status_code == 200


def test_certificate_is_fetched_once_for_many_events(paypal: PayPalServer) -> None:
    for number in range(5):
        assert post({**completed(), "id": f"WH-{number}"}).status_code == 200
    assert len(paypal.asked) == 1


def test_certificate_survives_a_restart(paypal: PayPalServer) -> None:
    post(completed())
    certificates.forget_all()  # as a new process begins
    paypal.answers.clear()
    assert post({**completed(), "id": "WH-2"}).status_code == 200
    assert len(paypal.asked) == 1


def test_wrong_signatures_cause_no_fetch(paypal: PayPalServer) -> None:
    post(completed())
    for _ in range(5):
        assert post(BODY, headers=signed_headers(b"{}")).status_code == 400
    assert len(paypal.asked) == 1


def test_expired_certificate_is_fetched_anew(paypal: PayPalServer) -> None:
    paypal.answers[CERT_URL] = pki.pem(pki.leaf(ends=pki.NOON + timedelta(days=1)), pki.intermediate())
    post(completed())
    paypal.answers[CERT_URL] = pki.chain()
    with time_machine.travel(pki.NOON + timedelta(days=2), tick=False):
        for number in range(3):
            assert post({**completed(), "id": f"WH-{number}"}).status_code == 200
    assert len(paypal.asked) == 2
    assert PayPalCertificate.objects.get().fetched_at == pki.NOON + timedelta(days=2)


def test_expired_certificate_that_stays_is_not_fetched_for_each_event(paypal: PayPalServer) -> None:
    paypal.answers[CERT_URL] = pki.pem(pki.leaf(ends=pki.NOON + timedelta(days=1)), pki.intermediate())
    post(completed())
    with time_machine.travel(pki.NOON + timedelta(days=2), tick=False):
        assert {post({**completed(), "id": f"WH-{n}"}).status_code for n in range(5)} == {400}
    assert len(paypal.asked) == 2


def test_row_that_is_no_certificate_any_more_is_replaced(paypal: PayPalServer) -> None:
    PayPalCertificate.objects.create(url=CERT_URL, pem="spoilt")
    assert post(completed()).status_code == 200
    assert PayPalCertificate.objects.get().pem == pki.chain().decode()


def test_what_is_remembered_is_bounded(paypal: PayPalServer) -> None:
    for number in range(certificates.FAILURES_REMEMBERED + 5):
        certificates._failures[str(number)] = (pki.NOON, None)  # type: ignore[assignment]
    post(completed(), cert_url=f"{CERT_URL}0")
    assert len(certificates._failures) == certificates.FAILURES_REMEMBERED
    for number in range(certificates.REMEMBERED + 3):
        url = f"{CERT_URL}{number}"
        paypal.answers[url] = pki.chain()
        certificates._remember(url, certificates.verified(pki.chain()))
    assert len(certificates._signers) == certificates.REMEMBERED


def test_burst_on_a_cold_cache_is_one_fetch_and_nobody_is_refused(monkeypatch: Any) -> None:
    asked, begun, go_on = [], threading.Event(), threading.Event()

    def slow(address: str) -> certificates.Signer:
        asked.append(address)
        begun.set()
        assert go_on.wait(5)
        return certificates._remember(address, certificates.verified(pki.chain()))

    monkeypatch.setattr(certificates, "_ask_paypal", slow)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(certificates._fetched, CERT_URL)
        assert begun.wait(5)
        others = [threads.submit(certificates._fetched, CERT_URL) for _ in range(7)]
        go_on.set()
        found = [each.result(timeout=5) for each in (first, *others)]
    assert {id(each) for each in found} == {id(found[0])}
    assert asked == [CERT_URL]
    assert certificates._downloads == {}


def test_third_address_waits_while_two_are_fetched(monkeypatch: Any, paypal: PayPalServer) -> None:
    monkeypatch.setattr(certificates, "_downloads", {"a": Future(), "b": Future()})
    response = post(completed())
    assert (response.status_code, response["Retry-After"], paypal.asked) == (503, "30", [])


def test_slow_answer_is_given_up(monkeypatch: Any, paypal: PayPalServer) -> None:
    from .. import downloading

    clock = iter([0.0, 5.1, 9.9])
    monkeypatch.setattr(downloading.time, "monotonic", lambda: next(clock))
    refused(post(completed()), 503, "certificate_unavailable")


def test_header_list_was_understood() -> None:
    assert len(HEADERS) > 20
