"""The way in: who may speak, what he said, and which signal follows."""

import hashlib
import hmac
import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from commerce_coordinator.core.exceptions import EventNotUnderstood, WebhookRefused
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView

from .signals import book_ordered


def order(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `book_ordered`. Its contract checks them, so only their places are our business."""
    found = event.data.get("order")
    if not isinstance(found, dict):
        raise EventNotUnderstood("order is missing or no object.")
    return {"order_number": found.get("number"), "isbn": found.get("isbn"), "address": found.get("address")}


class BookshopWebhookView(WebhookView):
    provider = "bookshop"
    signals = {
        "order.paid": (book_ordered, order),
    }

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        if not settings.BOOKSHOP_SECRET:  # anybody can sign with an empty one
            raise WebhookRefused("not_set_up", "BOOKSHOP_SECRET is not set.", status=404)
        expected = hmac.new(settings.BOOKSHOP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Bookshop-Signature", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise WebhookRefused("signature_invalid", "The signature does not match the body.")

    def parse(self, body: bytes) -> ProviderEvent:
        try:
            data = json.loads(body)
            return ProviderEvent(event_id=str(data["id"]), event_type=str(data["type"]), data=data)
        except (ValueError, TypeError, KeyError):
            raise WebhookRefused("body_invalid", "The body is no JSON object with id and type.") from None
