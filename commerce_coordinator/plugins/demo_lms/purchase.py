"""A purchase as Stripe would tell us of it: the event's JSON, and its signature by Stripe's own rules."""

import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import stripe

#: What a course costs, in US cents.
PRICE = 14900

COURSES = (
    "course-v1:DemoX+Baking+2026",
    "course-v1:DemoX+Brewing+2026",
    "course-v1:DemoX+Botany+2026",
)


def fresh_order_number() -> str:
    return f"EDX-{secrets.randbelow(10**9):09}"


def payment_intent_succeeded(
    order_number: str,
    *,
    username: str,
    lms_user_id: int = 1313,
    courses: Sequence[str] = COURSES,
    mode: str = "verified",
    payment_id: str | None = None,
    event_id: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A `payment_intent.succeeded` event (Stripe API 2024-06-20) of an order of ours. `changes` go into its object."""
    token = secrets.token_hex(12)
    now = int(time.time())
    price = PRICE * len(courses)
    return {
        "id": event_id or f"evt_{token}",
        "object": "event",
        "api_version": "2024-06-20",
        "created": now,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": "payment_intent.succeeded",
        "data": {
            "object": {
                "id": payment_id or f"pi_{token}",
                "object": "payment_intent",
                "amount": price,
                "amount_received": price,
                "currency": "usd",
                "created": now,
                "livemode": False,
                "status": "succeeded",
                "metadata": {
                    "source_system": "commerce_coordinator",
                    "order_number": order_number,
                    "lms_user_id": str(lms_user_id),
                    "username": username,
                    "email": f"{username}@example.com",
                    "course_keys": ",".join(courses),
                    "modes": ",".join(mode for _ in courses),
                },
                **changes,
            }
        },
    }


def signed(event: dict[str, Any], secret: str, *, at: int | None = None) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of the webhook request. `at`: Unix seconds of the signature, now if not given."""
    body = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return body.encode(), {"Content-Type": "application/json", "Stripe-Signature": signature}
