"""From PayPal's payments to our payloads. Pure functions: an event in, values out, or a reason why not.

Whatever JSON comes, a builder returns values, or raises EventIgnored or EventNotUnderstood. Reasons name fields.
"""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.payloads.money import Money

from .values import child, code, items, moment, money, reference, text

#: What a capture can say of itself when its money has come; version 1 writes small letters.
CAPTURED = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})


def order_approved_from_order(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `order_approved` from CHECKOUT.ORDER.APPROVED."""
    order = resource_of(event)
    if order.get("intent", "CAPTURE") != "CAPTURE":
        raise EventIgnored("resource.intent is not CAPTURE: there is nothing to capture.")
    units = items(order, "purchase_units")
    if not units:
        raise EventNotUnderstood("resource.purchase_units is missing or empty.")
    return {
        "account": account,
        "order_number": order_number_of(units[0]),
        "paypal_order_id": reference(order, "id"),
        "money": total_of(units),
        "approved_at": moment((order, "update_time"), (order, "create_time"), (event.data, "create_time")),
    }


def payment_captured_from_capture(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from PAYMENT.CAPTURE.COMPLETED. The system of record names the buyer."""
    capture = resource_of(event)
    order_number = order_number_of(capture)
    if status_of(capture) not in CAPTURED | {""}:
        raise EventNotUnderstood("resource.status is not that of a completed capture.")
    return {
        "provider": "paypal",
        "account": account,
        "payment_id": reference(capture, "id"),
        "order_number": order_number,
        "money": money(capture, "amount"),
        "captured_at": _when(event, capture),
    }


def nothing_from_pending_capture(event: ProviderEvent, account: str) -> dict[str, Any]:
    """PAYMENT.CAPTURE.PENDING: a bank transfer, or a review of PayPal's."""
    raise EventIgnored("The capture is pending: PayPal tells by PAYMENT.CAPTURE.COMPLETED when the money is there.")


def payment_failed_from_capture(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_failed` from PAYMENT.CAPTURE.DENIED and DECLINED. A capture is not tried twice."""
    capture = resource_of(event)
    return {
        "provider": "paypal",
        "account": account,
        "order_number": order_number_of(capture),
        "payment_id": reference(capture, "id"),
        "failed_at": _when(event, capture),
        "final": True,
        "reason": code(
            child(capture, "status_details").get("reason"),
            child(capture, "processor_response").get("response_code"),
            capture.get("reason_code"),
        ),
    }


def resource_of(event: ProviderEvent) -> Mapping[str, Any]:
    """What the event is about."""
    found = event.data.get("resource")
    if not isinstance(found, dict):
        raise EventNotUnderstood("resource is missing or no object.")
    return found


def status_of(found: Mapping[str, Any]) -> str:
    """In capitals; version 1 calls it `state`. "" where there is none."""
    value = found.get("status", found.get("state"))
    return value.upper() if isinstance(value, str) else "" if value is None else "?"


def order_number_of(found: Mapping[str, Any]) -> str:
    """Whose payment? One PayPal account also carries donations and invoices; ours name their order."""
    number = text(found, "custom_id", "custom", "invoice_id", "invoice_number")
    if not number:
        raise EventIgnored("Not ours: neither custom_id nor invoice_id names an order.")
    return number


def _when(event: ProviderEvent, found: Mapping[str, Any]) -> Any:
    return moment((found, "update_time"), (found, "create_time"), (event.data, "create_time"))


def total_of(units: list[Mapping[str, Any]]) -> Money:
    """What an order's purchase units, one at least, come to together."""
    amounts = [money(unit, "amount", where="resource.purchase_units[].") for unit in units]
    total = amounts[0]
    for each in amounts[1:]:
        if each.currency != total.currency:
            raise EventNotUnderstood("resource.purchase_units[].amount are of several currencies.")
        try:
            total += each
        except ValueError:
            raise EventNotUnderstood("resource.purchase_units[].amount are out of range together.") from None
    return total
