"""Stripe's webhook: the signature over the raw body, then one table from event type to signal."""

import json
import logging
import re
from typing import TypeGuard

import stripe
from django.conf import settings
from django.http import HttpRequest

from commerce_coordinator.core.exceptions import WebhookRefused
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView

from .table import SIGNALS

logger = logging.getLogger(__name__)

TOO_OLD = "The signature's timestamp is too old."
DOES_NOT_MATCH = "The signature does not match the body."

#: The parts of the header that count, as Stripe writes them: Unix seconds, and HMAC-SHA256 in hexadecimal.
_TIME = re.compile(r"[1-9][0-9]{0,11}")
_MAC = re.compile(r"[0-9a-f]{64}")


class StripeWebhookView(WebhookView):
    """`/stripe/webhook/` and `/stripe/webhook/<account>/`."""

    provider = "stripe"
    signals = SIGNALS

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        secrets = settings.CC_STRIPE_SECRETS.get(account)
        if isinstance(secrets, str):
            secrets = [secrets]  # a text where a list belongs: each of its letters would pass for a secret
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
        plain = _plain(header)
        if plain is None:
            raise WebhookRefused("signature_invalid", DOES_NOT_MATCH)
        # Two secrets are valid while one is rolled.
        failures = [_failure(text, plain, secret) for secret in secrets]
        if all(failures):
            raise WebhookRefused("signature_invalid", TOO_OLD if TOO_OLD in failures else DOES_NOT_MATCH)

    def parse(self, body: bytes) -> ProviderEvent:
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise WebhookRefused("body_not_json", "The body is not JSON.") from None
        if not isinstance(data, dict):
            raise WebhookRefused("body_not_an_object", "The body is not a JSON object.")
        event_id, event_type = data.get("id"), data.get("type")
        if not _is_reference(event_id):
            raise WebhookRefused("event_id_invalid", "The event's id must be a text of ASCII characters.")
        if not _is_reference(event_type):
            raise WebhookRefused("event_type_invalid", "The event's type must be a text of ASCII characters.")
        return ProviderEvent(event_id=event_id, event_type=event_type, data=data)


def _is_reference(value: object) -> TypeGuard[str]:
    """Stripe's own names are printable ASCII; what is not, half a surrogate pair say, could not even be stored."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


def _plain(header: str) -> str | None:
    """The header's one time and its signatures as Stripe writes them, and nothing else; None where there are none.

    The library reads more than it should: `t=+1_7`, of two times the first, and `v1=<mac>=anything`.
    """
    parts = [part.partition("=")[::2] for part in header.split(",")]
    times = [value for name, value in parts if name == "t"]
    macs = [value for name, value in parts if name == "v1" and _MAC.fullmatch(value)]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not macs:
        return None
    return ",".join([f"t={times[0]}", *(f"v1={mac}" for mac in macs)])


def _failure(body: str, header: str, secret: str) -> str | None:
    """Why the signature is not of this secret, in words of ours that quote nothing; None if it is."""
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, settings.CC_STRIPE_TOLERANCE)
    except stripe.SignatureVerificationError as error:
        if "outside the tolerance" in str(error):
            return TOO_OLD
        return DOES_NOT_MATCH
    return None
