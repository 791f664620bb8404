"""The way in: the signature over the raw body, then one table from type to signal."""

import hashlib
import hmac
import json

from django.conf import settings
from django.http import HttpRequest

from commerce_coordinator.core.exceptions import WebhookRefused
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView

from .events import captured, refunded
from .signals import payment_captured, payment_refunded


class TillpayWebhookView(WebhookView):
    provider = "tillpay"
    signals = {
        "payment.paid": (payment_captured, captured),
        "payment.refunded": (payment_refunded, refunded),
    }

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        if not settings.TILLPAY_SECRET:  # anybody can sign with an empty one
            raise WebhookRefused("not_set_up", "TILLPAY_SECRET is not set.", status=404)
        expected = hmac.new(settings.TILLPAY_SECRET.encode(), body, hashlib.sha256).hexdigest()
        given = request.headers.get("Tillpay-Signature", "")
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise WebhookRefused("signature_invalid", "The signature does not match the body.")

    def parse(self, body: bytes) -> ProviderEvent:
        try:
            data = json.loads(body)
            event_id, event_type = data["id"], data["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise WebhookRefused("body_invalid", "The body is no JSON object with id and type.") from None
        if not _is_reference(event_id) or not _is_reference(event_type):
            raise WebhookRefused("body_invalid", "The event's id and type must be texts of ASCII characters.")
        return ProviderEvent(event_id=event_id, event_type=event_type, data=data)


def _is_reference(value: object) -> bool:
    """JSON can hold texts that no database takes, half a surrogate pair for one."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != ""
