"""Objects as Stripe's API reference shows them, besides the PaymentIntent, in the shape of the API version named."""

from typing import Any

from .stripe_events import NOW, _without_gaps, event, payment_intent

#: From before charges lost their refunds to after refunds got events of their own.
VERSIONS = (
    "2019-12-03",
    "2022-08-01",
    "2022-11-15",
    "2024-06-20",
    "2024-10-28.acacia",
    "2025-03-31.basil",
    "2025-09-30.clover",
)


def told(event_type: str, found: Any, **changes: Any) -> dict[str, Any]:
    """An event of this type about this object."""
    return event(found, type=event_type, **changes)


def failed_intent(**changes: Any) -> dict[str, Any]:
    error = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "The card of Ann has insufficient funds.",
    }
    values = {"amount_received": 0, "status": "requires_payment_method", "last_payment_error": error, **changes}
    return payment_intent(**values)


def canceled_intent(**changes: Any) -> dict[str, Any]:
    return payment_intent(**{"amount_received": 0, "status": "canceled", "cancellation_reason": "abandoned", **changes})


def session(**changes: Any) -> dict[str, Any]:
    """A Checkout Session of ours, paid by the PaymentIntent `pi_1`."""
    metadata = payment_intent(metadata=changes.pop("metadata", {}))["metadata"]
    values = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": "pi_1",
        "amount_subtotal": 50000,
        "amount_total": 44700,
        "currency": "usd",
        "customer_details": {"email": "ann@example.com", "name": None},
        "metadata": metadata,
        **changes,
    }
    return _without_gaps(values)


def refund(**changes: Any) -> dict[str, Any]:
    values = {
        "id": "re_1",
        "object": "refund",
        "amount": 10000,
        "charge": "ch_1",
        "created": NOW - 60,
        "currency": "usd",
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": None,
        "status": "succeeded",
        **changes,
    }
    return _without_gaps(values)


def charge(*refunds: Any, **changes: Any) -> dict[str, Any]:
    """A charge; refunds: those that it carries, as it did before 2022-11-15. None: without the list."""
    values = {
        "id": "ch_1",
        "object": "charge",
        "amount": 44700,
        "amount_refunded": 10000,
        "currency": "usd",
        "metadata": payment_intent()["metadata"],
        "payment_intent": "pi_1",
        "refunded": False,
        "refunds": {"object": "list", "data": list(refunds), "has_more": False, "total_count": len(refunds)},
        **changes,
    }
    if not refunds and "refunds" not in changes:
        del values["refunds"]
    return _without_gaps(values)


def dispute(**changes: Any) -> dict[str, Any]:
    values = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 44700,
        "charge": "ch_1",
        "created": NOW - 60,
        "currency": "usd",
        "evidence": {"customer_email_address": "ann@example.com"},
        "is_charge_refundable": False,
        "metadata": {},
        "payment_intent": "pi_1",
        "reason": "fraudulent",
        "status": "needs_response",
        **changes,
    }
    return _without_gaps(values)


#: One valid event's object per type that has a meaning.
VALID: dict[str, Any] = {
    "payment_intent.succeeded": payment_intent(),
    "payment_intent.payment_failed": failed_intent(),
    "payment_intent.canceled": canceled_intent(),
    "checkout.session.completed": session(),
    "checkout.session.async_payment_succeeded": session(),
    "checkout.session.async_payment_failed": session(payment_status="unpaid"),
    "charge.refunded": charge(refund(), refund(id="re_2", status="pending")),
    "charge.refund.updated": refund(),
    "refund.created": refund(),
    "refund.updated": refund(status="failed", failure_reason="lost_or_stolen_card"),
    "refund.failed": refund(status="failed", failure_reason="expired_or_canceled_card"),
    "charge.dispute.created": dispute(),
    "charge.dispute.closed": dispute(status="lost"),
}
