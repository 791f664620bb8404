"""What Stripe answers when somebody asks: where a receipt is, and whose a payment is."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from openedx_filters import PipelineStep

from .client import stripe_api


class StripeReceipt(PipelineStep):
    """Stripe's page of the receipt. `payment`: from a step before this one. Raises Retry while Stripe is away."""

    def run_filter(
        self, *, payment: Mapping[str, str] | None = None, receipt_url: str | None = None, **_: Any
    ) -> dict[str, Any]:
        if receipt_url or payment is None or payment.get("provider") != "stripe" or not _has_key(payment["account"]):
            return {}
        intent = stripe_api(payment["account"]).payment_intent(payment["payment_id"]) or {}
        charge = intent.get("latest_charge")
        url = charge.get("receipt_url") if isinstance(charge, Mapping) else None
        return {"receipt_url": url} if url else {}


class StripePaymentOwner(PipelineStep):
    """Is the payment one of ours, by the metadata of its PaymentIntent, or of the Checkout Session it belongs to?"""

    def run_filter(self, *, provider: str, account: str, payment_id: str, **_: Any) -> dict[str, Any]:
        if provider != "stripe" or not _has_key(account):
            return {}
        api = stripe_api(account)
        intent = api.payment_intent(payment_id)
        if intent is None:
            return {"ours": False}
        return {"ours": _is_ours(intent) or _is_ours(api.checkout_session(payment_id) or {})}


def _has_key(account: str) -> bool:
    """Without one nothing can be asked: the settings' check says so."""
    return bool(settings.CC_STRIPE_API_KEYS.get(account))


def _is_ours(found: Mapping[str, Any]) -> bool:
    return bool((found.get("metadata") or {}).get("source_system") == settings.CC_SOURCE_SYSTEM)
