"""Stripe's webhook: the signature over the raw body, then one table from event type to signal."""

import json
import logging

import stripe
from django.conf import settings
from django.http import HttpRequest

from commerce_coordinator.core.exceptions import WebhookRefused
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView

from .events import payment_captured_from_payment_intent
from .signals import payment_captured

logger = logging.getLogger(__name__)

#: Stripe's event ids are at most this long.
LONGEST_EVENT_ID = 255


class StripeWebhookView(WebhookView):
    """`/stripe/webhook/` and `/stripe/webhook/<account>/`."""

    provider = "stripe"
    signals = {
        "payment_intent.succeeded": (payment_captured, payment_captured_from_payment_intent),
    }

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        secrets = settings.CC_STRIPE_SECRETS.get(account)
        if not secrets:
            raise WebhookRefused("unknown_account", "No signing secret is set for this account.", status=404)
        header = request.headers.get("Stripe-Signature", "")
        if not header:
            raise WebhookRefused("signature_missing", "The header Stripe-Signature is missing.")
        # The library compares in ASCII and decodes the body: what it cannot take is no signature of Stripe's.
        if not header.isascii():
            raise WebhookRefused("signature_malformed", "The header Stripe-Signature is not ASCII.")
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise WebhookRefused("body_not_utf8", "The body is not UTF-8.") from None
        # Two secrets are valid while one is rolled.
        failures = [_failure(text, header, secret) for secret in secrets]
        if all(failures):
            raise WebhookRefused("signature_invalid", failures[0] or "")

    def parse(self, body: bytes) -> ProviderEvent:
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise WebhookRefused("body_not_json", "The body is not JSON.") from None
        if not isinstance(data, dict):
            raise WebhookRefused("body_not_an_object", "The body is not a JSON object.")
        event_id, event_type = data.get("id"), data.get("type")
        if not isinstance(event_id, str) or not 0 < len(event_id) <= LONGEST_EVENT_ID:
            raise WebhookRefused("event_id_invalid", "The event's id must be a text of 1 to 255 characters.")
        if not isinstance(event_type, str) or not event_type:
            raise WebhookRefused("event_type_invalid", "The event's type must be a text.")
        return ProviderEvent(event_id=event_id, event_type=event_type, data=data)


def _failure(body: str, header: str, secret: str) -> str | None:
    """Why the signature is not of this secret, in words of ours that quote nothing; None if it is."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, settings.CC_STRIPE_TOLERANCE)
    except stripe.SignatureVerificationError as error:
        if "outside the tolerance" in str(error):
            return "The signature's timestamp is too old."
        return "The signature does not match the body."
    return None
