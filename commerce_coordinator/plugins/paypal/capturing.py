"""May this be captured? Pure: PayPal's order and what the system of record says of its price."""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails

OTHER_ORDER = "The order at PayPal is for another order number. Nothing was captured."
NOT_KNOWN = (
    "What the order costs is not known, and the buyer's browser may have named the amount. Nothing was captured."
)
OTHER_CURRENCY = "The buyer approved another currency than that of the price. Nothing was captured."
OTHER_AMOUNT = "The buyer approved another amount than the price. Nothing was captured."

#: What an order is once it is captured.
COMPLETED = "COMPLETED"
APPROVED = "APPROVED"


def why_not(order_number: str, approved_number: str, approved: Money, details: OrderDetails | None) -> str:
    """A sentence without values; empty when it may be captured."""
    owed = details.owed if details else None
    reasons = {
        OTHER_ORDER: approved_number != order_number,
        NOT_KNOWN: details is None or owed is None or details.order_number != order_number,
        OTHER_CURRENCY: owed is not None and owed.currency != approved.currency,
        OTHER_AMOUNT: owed is not None and owed.amount != approved.amount,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def status_of(order: Mapping[str, Any]) -> str:
    return str(order.get("status") or "without a status")
