"""A stand-in of PayPal: a buyer approves, we capture, money goes back, the webhook tells. Only what this service calls.

Who sent a webhook it says itself, by the postback: its signatures are its own, and PayPal's certificates are not here.
"""

import base64
import hmac
import json
import secrets
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StorefrontOrder
from ..purchase import PRICE
from . import kept, webhooks

PROVIDER = "paypal"
WEBHOOK = "/paypal/webhook/"
ACCOUNT = ""

#: Where such addresses lead at PayPal; nothing is fetched from there.
SANDBOX = "https://api.sandbox.paypal.com"
CERTIFICATE = f"{SANDBOX}/v1/notifications/certs/CERT-stand-in"

#: Seconds that a token lives, as at PayPal.
TOKENS_LIFETIME = 32400
_SALT = "demo_lms.providers.paypal"


class NoAccount(Exception):
    """CC_PAYPAL has no account for this stand-in."""


def pay(order: StorefrontOrder, request: HttpRequest) -> dict[str, Any]:
    """The buyer approves an order; the money is taken by whom it is owed to. Returns the event's id and how the webhook
    was answered. Raises NoAccount.
    """
    webhook_id = _webhook_id()
    order_id = _fresh_id()
    approved = {
        "id": order_id,
        "intent": "CAPTURE",
        "status": "APPROVED",
        "create_time": _now(),
        "purchase_units": [
            {
                "amount": {"currency_code": "USD", "value": _written(PRICE * len(order.courses))},
                "custom_id": order.order_number,
                "payments": {"captures": [], "refunds": []},
            }
        ],
    }
    kept.keep(PROVIDER, order_id, order.order_number, approved)
    event = _event("CHECKOUT.ORDER.APPROVED", approved)
    body, headers = _signed(event, webhook_id)
    status, took = webhooks.tell(request.build_absolute_uri(WEBHOOK), body, headers)
    return {"event": event["id"], "webhook": status, "ms": round(took)}


# --- Events ---


def _event(event_type: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"WH-{_fresh_id()}",
        "event_version": "1.0",
        "create_time": _now(),
        "event_type": event_type,
        "resource_version": "2.0",
        "resource": dict(resource),
        "links": [],
    }


def _signed(event: Mapping[str, Any], webhook_id: str) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(event).encode()
    transmission_id, at = secrets.token_hex(16), _now()
    return body, {
        "Content-Type": "application/json",
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-TIME": at,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": CERTIFICATE,
        "PAYPAL-TRANSMISSION-SIG": _signature(transmission_id, at, webhook_id, body),
    }


def _signature(transmission_id: str, at: str, webhook_id: str, body: bytes) -> str:
    """Over the text that PayPal signs, by a key that nobody but the stand-in uses."""
    text = f"{transmission_id}|{at}|{webhook_id}|{zlib.crc32(body)}"
    return base64.b64encode(salted_hmac(_SALT, text, algorithm="sha256").digest()).decode()


def _tell(request: HttpRequest, event_type: str, resource: Mapping[str, Any]) -> None:
    webhooks.tell_or_log(request.build_absolute_uri(WEBHOOK), *_signed(_event(event_type, resource), _webhook_id()))


# --- The API ---


@never_cache
@csrf_exempt
def api(request: HttpRequest, path: str) -> JsonResponse:
    """Everything below the API's address."""
    match [str(request.method), *path.strip("/").split("/")]:
        case ["POST", "v1", "oauth2", "token"]:
            return _token(request)
        case _ if not _is_known(request):
            return _refusal("INVALID_TOKEN", status=401, name="AUTHENTICATION_FAILURE")
        case ["POST", "v1", "notifications", "verify-webhook-signature"]:
            return JsonResponse({"verification_status": "SUCCESS" if _is_ours(request.body) else "FAILURE"})
        case ["GET", "v2", "checkout", "orders", order_id]:
            found = kept.read(PROVIDER, order_id)
            return JsonResponse(found) if found else _not_found()
        case ["POST", "v2", "checkout", "orders", order_id, "capture"]:
            return _capture(request, order_id)
        case ["GET", "v2", "payments", "captures", capture_id]:
            found = kept.read(PROVIDER, _order_of(capture_id))
            captures = found["purchase_units"][0]["payments"]["captures"] if found else []
            return JsonResponse(captures[0]) if captures else _not_found()
        case ["POST", "v2", "payments", "captures", capture_id, "refund"]:
            return _refund(request, capture_id)
    return _not_found()


def _token(request: HttpRequest) -> JsonResponse:
    account = settings.CC_PAYPAL.get(ACCOUNT) or {}
    pair = f"{account.get('client_id')}:{account.get('client_secret')}"
    if request.headers.get("Authorization", "") != f"Basic {base64.b64encode(pair.encode()).decode()}":
        return _refusal("INVALID_CLIENT", status=401, name="AUTHENTICATION_FAILURE")
    return JsonResponse({"access_token": signing.dumps("app", salt=_SALT), "expires_in": TOKENS_LIFETIME})


def _is_known(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        signing.loads(token, salt=_SALT, max_age=TOKENS_LIFETIME)
    except signing.BadSignature:
        return False
    return scheme == "Bearer"


def _is_ours(question: bytes) -> bool:
    """The event stands in the question byte for byte, behind everything else."""
    head, _, rest = question.partition(b', "webhook_event": ')
    try:
        asked = json.loads(head + b"}")
        right = _signature(asked["transmission_id"], asked["transmission_time"], asked["webhook_id"], rest[:-1])
        return hmac.compare_digest(right, asked["transmission_sig"])
    except (ValueError, KeyError, TypeError):
        return False


def _capture(request: HttpRequest, order_id: str) -> JsonResponse:
    with kept.changing(PROVIDER, order_id) as order:
        if order is None:
            return _not_found()
        if order["status"] == "COMPLETED":
            return _refusal("ORDER_ALREADY_CAPTURED")
        order["status"] = "COMPLETED"
        unit = order["purchase_units"][0]
        capture_id = f"C{order_id}"
        capture = {
            "id": capture_id,
            "amount": unit["amount"],
            "custom_id": unit["custom_id"],
            "status": "COMPLETED",
            "supplementary_data": {"related_ids": {"order_id": order_id}},
            "create_time": _now(),
            "update_time": _now(),
            "links": [{"href": f"{SANDBOX}/v2/payments/captures/{capture_id}", "rel": "self", "method": "GET"}],
        }
        unit["payments"]["captures"].append(capture)
    _tell(request, "PAYMENT.CAPTURE.COMPLETED", capture)
    return JsonResponse(order, status=201)


def _refund(request: HttpRequest, capture_id: str) -> JsonResponse:
    try:
        wish = json.loads(request.body or b"{}")
        asked = _cents(wish["amount"]["value"]) if "amount" in wish else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return _refusal("MALFORMED_REQUEST_JSON", status=400, name="INVALID_REQUEST")
    request_id = request.headers.get("PayPal-Request-Id", "")
    with kept.changing(PROVIDER, _order_of(capture_id)) as order:
        unit = order["purchase_units"][0] if order else {}
        if not unit or not unit["payments"]["captures"]:
            return _not_found()
        capture, refunds = unit["payments"]["captures"][0], unit["payments"]["refunds"]
        before = next((each for each in refunds if request_id and each["request_id"] == request_id), None)
        if before is not None:
            return JsonResponse(before, status=201)
        left = _cents(capture["amount"]["value"]) - sum(_cents(each["amount"]["value"]) for each in refunds)
        if left == 0:
            return _refusal("CAPTURE_FULLY_REFUNDED")
        amount = left if asked is None else asked
        if not 0 < amount <= left:
            return _refusal("REFUND_AMOUNT_EXCEEDED")
        refund_id = _fresh_id()
        refund = {
            "id": refund_id,
            "amount": {"currency_code": capture["amount"]["currency_code"], "value": _written(amount)},
            "custom_id": wish.get("custom_id", ""),
            "status": "COMPLETED",
            "create_time": _now(),
            "update_time": _now(),
            "links": [
                {"href": f"{SANDBOX}/v2/payments/refunds/{refund_id}", "rel": "self", "method": "GET"},
                {"href": f"{SANDBOX}/v2/payments/captures/{capture_id}", "rel": "up", "method": "GET"},
            ],
            "request_id": request_id,
        }
        refunds.append(refund)
        capture["status"] = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
    _tell(request, "PAYMENT.CAPTURE.REFUNDED", refund)
    return JsonResponse(refund, status=201)


def _webhook_id() -> str:
    ids = (settings.CC_PAYPAL.get(ACCOUNT) or {}).get("webhook_ids")
    if not ids:
        raise NoAccount(f'CC_PAYPAL has no webhook id for the account "{ACCOUNT}".')
    return str(ids[0])


def _order_of(capture_id: str) -> str:
    return capture_id.removeprefix("C")


def _fresh_id() -> str:
    """Seventeen characters, as PayPal's are; none begins with the letter of a capture."""
    return f"{secrets.randbelow(10)}{secrets.token_hex(8).upper()}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _cents(value: str) -> int:
    """Raises ValueError for what is no decimal with two digits behind the point."""
    whole, _, part = value.partition(".")
    if len(part) != 2:
        raise ValueError(value)
    return int(whole) * 100 + int(part)


def _not_found() -> JsonResponse:
    return _refusal("INVALID_RESOURCE_ID", status=404, name="RESOURCE_NOT_FOUND")


def _refusal(issue: str, *, status: int = 422, name: str = "UNPROCESSABLE_ENTITY") -> JsonResponse:
    body = {"name": name, "message": "The stand-in refuses this.", "details": [{"issue": issue}]}
    return JsonResponse(body, status=status)
