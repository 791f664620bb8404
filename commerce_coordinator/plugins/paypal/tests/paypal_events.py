"""PayPal's side of the wire, written from its documents and published samples: events, signatures, its web server."""

import base64
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client

from . import pki

WEBHOOK_ID = "5WH04942BU312345X"
LIVE_WEBHOOK_ID = "8PT597110X687430LKGECATA"
CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77"
LIVE_CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-8079afec"
API = "https://api-m.sandbox.paypal.com"

ACCOUNTS: dict[str, dict[str, Any]] = {
    "": {
        "webhook_ids": [WEBHOOK_ID],
        "client_id": "app",
        "client_secret": "d7xW",
        "environment": "sandbox",
        "verification": "offline",
    },
    "shop": {
        "webhook_ids": [LIVE_WEBHOOK_ID, "2NDNEW1234567890A"],
        "client_id": "shop",
        "client_secret": "k9Qe",
        "environment": "live",
    },
}


class PayPalServer:
    """Stands where requests would open a connection. `answers`: address -> body, or a function that makes an answer."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | Callable[[Any], requests.Response]] = {
            CERT_URL: pki.chain(),
            LIVE_CERT_URL: pki.chain(pki.LIVE_NAME),
        }
        self.asked: list[Any] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.asked.append(request)
        found = self.answers.get(str(request.url), b"")
        response = found(request) if callable(found) else answer(found, status=200 if found else 404)
        response.url, response.request = str(request.url), request
        return response


def answer(body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update(headers or {})
    response.raw = urllib3.HTTPResponse(body=io.BytesIO(body), status=status, preload_content=False)
    return response


def no_route(request: Any) -> requests.Response:
    raise requests.ConnectTimeout("nobody answers")


# --- Events, after PayPal's published samples ---

SELF = "https://api.sandbox.paypal.com/v2/payments"


def event(event_type: str, resource: Any, **changes: Any) -> dict[str, Any]:
    whole = {
        "id": "WH-58D329510W468432D-8HN650336L201105X",
        "event_version": "1.0",
        "create_time": "2026-03-01T11:59:50.940Z",
        "resource_type": "capture",
        "resource_version": "2.0",
        "event_type": event_type,
        "summary": "Something happened for $ 5.00 USD",
        "resource": resource,
        "links": [],
        **changes,
    }
    return without_gaps(whole)


def capture(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "id": "42311647XV020574X",
            "amount": {"currency_code": "USD", "value": "149.00"},
            "final_capture": True,
            "seller_protection": {"status": "ELIGIBLE"},
            "seller_receivable_breakdown": {"net_amount": {"currency_code": "USD", "value": "144.27"}},
            "custom_id": "EDX-1",
            "status": "COMPLETED",
            "supplementary_data": {"related_ids": {"order_id": "1AB234567A1234567"}},
            "create_time": "2026-03-01T11:59:40Z",
            "update_time": "2026-03-01T11:59:41Z",
            "links": [
                {"href": f"{SELF}/captures/42311647XV020574X", "rel": "self", "method": "GET"},
                {"href": f"{SELF}/captures/42311647XV020574X/refund", "rel": "refund", "method": "POST"},
                {"href": "https://api.sandbox.paypal.com/v2/checkout/orders/1AB234567A1234567", "rel": "up"},
            ],
            **changes,
        }
    )


def capture_v1(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "id": "58333135MN8876425",
            "amount": {"currency": "USD", "total": "149.00", "details": {"subtotal": "149.00"}},
            "state": "completed",
            "custom": "EDX-1",
            "parent_payment": "PAY-1B56960729604235TKQQIYVY",
            "create_time": "2026-03-01T11:59:40Z",
            "links": [
                {"href": "https://api.sandbox.paypal.com/v1/payments/capture/58333135MN8876425", "rel": "self"},
                {"href": "https://api.sandbox.paypal.com/v1/payments/payment/PAY-1B5", "rel": "parent_payment"},
            ],
            **changes,
        }
    )


def refund(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "id": "1Y107995YT783435V",
            "amount": {"currency_code": "USD", "value": "49.00"},
            "seller_payable_breakdown": {"total_refunded_amount": {"currency_code": "USD", "value": "98.00"}},
            "status": "COMPLETED",
            "create_time": "2026-03-01T04:59:40-07:00",
            "update_time": "2026-03-01T04:59:41-07:00",
            "links": [
                {"href": f"{SELF}/refunds/1Y107995YT783435V", "rel": "self", "method": "GET"},
                {"href": f"{SELF}/captures/42311647XV020574X", "rel": "up", "method": "GET"},
            ],
            **changes,
        }
    )


def refund_v1(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "id": "6KV40268N1885461X",
            "amount": {"currency": "USD", "total": "-49.00"},
            "state": "completed",
            "capture_id": "58333135MN8876425",
            "parent_payment": "PAY-1B56960729604235TKQQIYVY",
            "create_time": "2026-03-01T11:59:40Z",
            "links": [{"href": "https://api.sandbox.paypal.com/v1/payments/refund/6KV40268N1885461X", "rel": "self"}],
            **changes,
        }
    )


def order(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "id": "5O190127TN364715T",
            "intent": "CAPTURE",
            "status": "APPROVED",
            "create_time": "2026-03-01T11:50:00Z",
            "purchase_units": [
                {
                    "reference_id": "default",
                    "custom_id": "EDX-1",
                    "amount": {"currency_code": "USD", "value": "149.00"},
                    "payee": {"merchant_id": "KG8S8CNVA5XFA"},
                }
            ],
            "payer": {"name": {"given_name": "Ann"}, "email_address": "ann@example.com", "payer_id": "LDBKZ"},
            "links": [],
            **changes,
        }
    )


def dispute(**changes: Any) -> dict[str, Any]:
    return without_gaps(
        {
            "dispute_id": "PP-000-042-663-135",
            "create_time": "2026-03-01T11:00:00.000Z",
            "update_time": "2026-03-01T11:59:00.000Z",
            "disputed_transactions": [{"seller_transaction_id": "42311647XV020574X", "seller": {"merchant_id": "RD4"}}],
            "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
            "status": "OPEN",
            "dispute_amount": {"currency_code": "USD", "value": "149.00"},
            "dispute_life_cycle_stage": "CHARGEBACK",
            "dispute_channel": "INTERNAL",
            "links": [],
            **changes,
        }
    )


def resolved(outcome_code: Any, **changes: Any) -> dict[str, Any]:
    return dispute(status="RESOLVED", dispute_outcome={"outcome_code": outcome_code}, **changes)


def completed(**changes: Any) -> dict[str, Any]:
    return event("PAYMENT.CAPTURE.COMPLETED", capture(**changes))


def without_gaps(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not ...}


# --- Requests ---


def as_bytes(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def signed_headers(
    body: bytes, *, webhook_id: str = WEBHOOK_ID, cert_url: str = CERT_URL, key: str = "leaf", **changes: Any
) -> dict[str, str]:
    """As PayPal signs. changes: other values of the headers, by their names in small letters; ... leaves one out."""
    transmission_id, time = "69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-03-01T11:59:55Z"
    signed = f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(body) & 0xFFFFFFFF}".encode()
    headers = {
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-TIME": time,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(pki.key(key).sign(signed, PKCS1v15(), SHA256())).decode(),
        "PAYPAL-CERT-URL": cert_url,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }
    for name, value in changes.items():
        headers["PAYPAL-" + name.replace("_", "-").upper()] = value
    return without_gaps(headers)


def post(
    event: Any, *, account: str = "", headers: dict[str, str] | None = None, slash: str = "/", **signing: Any
) -> Any:
    """POST as PayPal does. event: JSON values, or the very bytes."""
    body = as_bytes(event)
    if headers is None:
        headers = signed_headers(body, **signing)
    url = f"/paypal/webhook/{account}{slash}" if account else f"/paypal/webhook{slash}"
    return Client(raise_request_exception=True).post(url, body, content_type="application/json", headers=headers)


def post_live(event: Any, **signing: Any) -> Any:
    """To the live account "shop"."""
    return post(event, account="shop", **{"webhook_id": LIVE_WEBHOOK_ID, "cert_url": LIVE_CERT_URL, **signing})
