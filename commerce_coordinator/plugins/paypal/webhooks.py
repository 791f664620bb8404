"""PayPal's webhook: the signature over the raw body, then one table from event type to signal."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from commerce_coordinator.core.exceptions import WebhookRefused
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView

from . import signals as told
from .accounts import POSTBACK, account_of
from .disputes import dispute_lost_from_dispute, dispute_won_from_dispute, payment_disputed_from_dispute
from .events import (
    nothing_from_pending_capture,
    order_approved_from_order,
    payment_captured_from_capture,
    payment_failed_from_capture,
)
from .postback import verify_by_postback
from .refunds import (
    nothing_from_pending_refund,
    payment_refunded_from_refund,
    payment_refunded_from_reversal,
    refund_failed_from_refund,
)
from .values import is_reference
from .verification import transmission_of, verify_offline

#: What PayPal is asked to wait, in seconds, when a certificate or an answer of its own could not be had.
RETRY_AFTER = "30"


class PayPalWebhookView(WebhookView):
    """`/paypal/webhook/` and `/paypal/webhook/<account>/`."""

    provider = "paypal"
    signals = {
        "CHECKOUT.ORDER.APPROVED": (told.order_approved, order_approved_from_order),
        "PAYMENT.CAPTURE.COMPLETED": (told.payment_captured, payment_captured_from_capture),
        "PAYMENT.CAPTURE.PENDING": (told.payment_captured, nothing_from_pending_capture),
        "PAYMENT.CAPTURE.DENIED": (told.payment_failed, payment_failed_from_capture),
        "PAYMENT.CAPTURE.DECLINED": (told.payment_failed, payment_failed_from_capture),
        "PAYMENT.CAPTURE.REFUNDED": [
            (told.payment_refunded, payment_refunded_from_refund),
            (told.refund_failed, refund_failed_from_refund),
        ],
        "PAYMENT.CAPTURE.REVERSED": (told.payment_refunded, payment_refunded_from_reversal),
        "PAYMENT.REFUND.PENDING": (told.payment_refunded, nothing_from_pending_refund),
        "PAYMENT.REFUND.FAILED": (told.refund_failed, refund_failed_from_refund),
        "CUSTOMER.DISPUTE.CREATED": (told.payment_disputed, payment_disputed_from_dispute),
        "CUSTOMER.DISPUTE.RESOLVED": [
            (told.dispute_lost, dispute_lost_from_dispute),
            (told.dispute_won, dispute_won_from_dispute),
        ],
    }

    def post(self, request: HttpRequest, account: str = "") -> HttpResponse:
        response = super().post(request, account)
        if response.status_code == 503 and "Retry-After" not in response:
            response["Retry-After"] = RETRY_AFTER
        return response

    def verify(self, request: HttpRequest, body: bytes, account: str) -> None:
        found = account_of(account)
        if found is None:
            raise WebhookRefused("unknown_account", "No webhook id is set for this account.", status=404)
        transmission = transmission_of(request, found)
        if found.verification == POSTBACK:
            verify_by_postback(transmission, body, found)
        else:
            verify_offline(transmission, body, found)

    def parse(self, body: bytes) -> ProviderEvent:
        try:
            data: Any = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise WebhookRefused("body_not_json", "The body is not JSON.") from None
        if not isinstance(data, dict):
            raise WebhookRefused("body_not_an_object", "The body is not a JSON object.")
        event_id, event_type = data.get("id"), data.get("event_type")
        if not isinstance(event_id, str) or not is_reference(event_id):
            raise WebhookRefused("event_id_invalid", "The event's id must be a text of ASCII characters.")
        if not isinstance(event_type, str) or not is_reference(event_type):
            raise WebhookRefused("event_type_invalid", "The event's type must be a text of ASCII characters.")
        return ProviderEvent(event_id=event_id, event_type=event_type, data=data)
