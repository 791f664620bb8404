"""From Tillpay's events to our payloads. Pure functions: an event in, values out, or a reason why not."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.payloads.money import Money

from .money import money_of


def captured(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from `payment.paid`."""
    payment, reference = _ours(event, "payment")
    return {
        "provider": "tillpay",
        "account": account,
        "payment_id": _text(payment, "id"),
        "order_number": _text(reference, "order_number"),
        "money": _money(payment),
        "captured_at": _time(event),
        # The contract checks these; who is missing here is looked for in the order's details.
        "lms_user_id": reference.get("user_id"),
        "username": reference.get("username", ""),
        "email": reference.get("email", ""),
        "lines": _lines(reference),
    }


def refunded(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_refunded` from `payment.refunded`."""
    refund, reference = _ours(event, "refund")
    return {
        "provider": "tillpay",
        "account": account,
        "payment_id": _text(refund, "payment"),
        "refund_id": _text(refund, "id"),
        "money": _money(refund),
        "refunded_at": _time(event),
        "refund_request_id": reference.get("request", ""),  # absent: made by hand at Tillpay
    }


def _ours(event: ProviderEvent, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the event is about, and its reference, if both are ours. Reasons name fields, never values."""
    if event.data.get("live") is not settings.TILLPAY_LIVE:
        raise EventIgnored("Not ours: live is another than this service's.")
    found = event.data.get(name)
    if not isinstance(found, dict):
        raise EventNotUnderstood(f"{name} is missing or no object.")
    reference = found.get("reference")
    if not isinstance(reference, dict) or reference.get("system") != settings.CC_SOURCE_SYSTEM:
        raise EventIgnored("Not ours: reference.system is another.")
    return found, reference


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise EventNotUnderstood(f"{name} is missing or no text.")
    return value


def _money(found: Mapping[str, Any]) -> Money:
    amount, currency = found.get("amount"), _text(found, "currency")
    try:
        money = money_of(amount, currency)  # type: ignore[arg-type]
    except ValueError:
        raise EventNotUnderstood("amount and currency make no amount of money.") from None
    if money.amount < 0:
        raise EventNotUnderstood("amount is negative.")
    return money


def _time(event: ProviderEvent) -> datetime:
    created = event.data.get("created")
    if isinstance(created, bool) or not isinstance(created, int):
        raise EventNotUnderstood("created is no Unix time.")
    try:
        return datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        raise EventNotUnderstood("created is no Unix time.") from None


def _lines(reference: Mapping[str, Any]) -> list[dict[str, Any]]:
    """None at all is right, too: then the order's details come from elsewhere."""
    courses = reference.get("courses", [])
    if not isinstance(courses, list) or not all(isinstance(course, dict) for course in courses):
        raise EventNotUnderstood("reference.courses is no list of objects.")
    return [
        {"line_number": number, "course_key": course.get("key"), "mode": course.get("mode")}
        for number, course in enumerate(courses, start=1)
    ]
