"""Stripe's side of the wire, written from its documents: an event's JSON, and a signature made without its library."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from django.test import Client

SECRET = "whsec_first"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOW = int(NOON.timestamp())

USERNAME = "ann-the-learner"
EMAIL = "ann@example.com"
PRIVATE = (USERNAME, EMAIL)


def payment_intent(**changes: Any) -> dict[str, Any]:
    """A PaymentIntent of ours with changes; `metadata` is changed field by field. ... leaves a field out."""
    metadata = {
        "source_system": "commerce_coordinator",
        "order_number": "EDX-1",
        "lms_user_id": "1313",
        "username": USERNAME,
        "email": EMAIL,
        "course_keys": "course-v1:X+A+1,course-v1:X+B+1,course-v1:X+C+1",
        "modes": "verified,audit,no-id-professional",
        **changes.pop("metadata", {}),
    }
    intent = {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 50000,
        "amount_received": 44700,
        "currency": "usd",
        "metadata": _without_gaps(metadata),
        **changes,
    }
    return _without_gaps(intent)


def event(intent: Any = None, **changes: Any) -> dict[str, Any]:
    """A `payment_intent.succeeded`, with changes. ... leaves a field out."""
    whole = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2024-06-20",
        "created": NOW - 3,
        "livemode": False,
        "request": None,
        "type": "payment_intent.succeeded",
        "data": {"object": payment_intent() if intent is None else intent},
        **changes,
    }
    return _without_gaps(whole)


def event_with_metadata(**changes: Any) -> dict[str, Any]:
    return event(payment_intent(metadata=changes))


def _without_gaps(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not ...}


def mac(body: bytes, *, secret: str = SECRET, at: int = NOW) -> str:
    """HMAC-SHA256 of `<t>.<raw body>` with the endpoint's secret, in hexadecimal."""
    return hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()


def signature(body: bytes, *, secret: str = SECRET, at: int = NOW) -> str:
    return f"t={at},v1={mac(body, secret=secret, at=at)}"


def as_bytes(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode()


def post(event: Any, *, account: str = "", header: str | None = "", secret: str = SECRET, **options: Any) -> Any:
    """POST as Stripe does. event: JSON values, or the very bytes. header: another signature; None for no header."""
    body = as_bytes(event)
    if header == "":
        header = signature(body, secret=secret)
    headers = {} if header is None else {"Stripe-Signature": header}
    url = f"/stripe/webhook/{account}/" if account else "/stripe/webhook/"
    return Client().post(url, body, content_type="application/json", headers=headers, **options)
