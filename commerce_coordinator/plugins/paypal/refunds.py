"""From PayPal's refunds and reversals to our payloads. Pure functions, as in events.py.

A refund's status decides which fact it is; each builder ignores what is the other's.
"""

import re
from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent

from .events import resource_of, status_of
from .values import child, code, is_reference, items, moment, money, reference

#: What our own refunds carry as custom_id, before the id of the request. Any other is of PayPal's dashboard.
OURS = "refund:"

FAILED = frozenset({"FAILED", "CANCELLED", "CANCELED"})

#: Where a link to a capture leads: version 2, and version 1 with its sales.
_CAPTURE = re.compile(r"/(?:captures?|sale)/([A-Za-z0-9-]{1,64})/?\Z", re.ASCII)


def payment_refunded_from_refund(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_refunded` from PAYMENT.CAPTURE.REFUNDED: completed ones alone."""
    refund = resource_of(event)
    status = status_of(refund)
    if status in FAILED:
        raise EventIgnored("The refund failed: nothing went back.")
    _not_pending(status)
    if status != "COMPLETED":
        raise EventNotUnderstood("resource.status is none of a refund's.")
    return _refunded(event, account, refund)


def payment_refunded_from_reversal(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_refunded` from PAYMENT.CAPTURE.REVERSED: of a refund, or of the capture itself."""
    found = resource_of(event)
    if not _is_capture(event, found):
        return _refunded(event, account, found)
    capture_id = reference(found, "id")
    return {
        "provider": "paypal",
        "account": account,
        "payment_id": capture_id,
        "refund_id": f"reversal:{capture_id}",
        "money": money(found, "amount", signed=True),
        "refunded_at": _when(event, found),
    }


def refund_failed_from_refund(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `refund_failed` from PAYMENT.REFUND.FAILED, and from a refund that says so of itself."""
    refund = resource_of(event)
    status = status_of(refund)
    _not_pending(status)
    if status not in FAILED and not (status == "" and event.event_type == "PAYMENT.REFUND.FAILED"):
        raise EventIgnored("The refund has not failed.")
    return {
        **_refund(account, refund),
        "failed_at": _when(event, refund),
        "reason": code(child(refund, "status_details").get("reason"), refund.get("reason_code")),
    }


def nothing_from_pending_refund(event: ProviderEvent, account: str) -> dict[str, Any]:
    """PAYMENT.REFUND.PENDING: an eCheck's."""
    _not_pending("PENDING")
    return {}


def capture_of(refund: Mapping[str, Any]) -> str:
    """The id of the capture that a refund belongs to. Version 1's `parent_payment` names no capture."""
    for rel in ("up", "capture", "sale"):
        for link in items(refund, "links"):
            href = link.get("href")
            found = _CAPTURE.search(href) if link.get("rel") == rel and isinstance(href, str) else None
            if found:
                return found[1]
    for name in ("capture_id", "sale_id"):
        if is_reference(refund.get(name)):
            return reference(refund, name)
    related = child(child(refund, "supplementary_data"), "related_ids")
    if is_reference(related.get("capture_id")):
        return reference(related, "capture_id", where="resource.supplementary_data.related_ids.")
    raise EventNotUnderstood("resource.links has no link to the capture, and no field names it.")


def _refunded(event: ProviderEvent, account: str, refund: Mapping[str, Any]) -> dict[str, Any]:
    return {**_refund(account, refund), "refunded_at": _when(event, refund)}


def _refund(account: str, refund: Mapping[str, Any]) -> dict[str, Any]:
    mark = refund.get("custom_id")
    ours = isinstance(mark, str) and mark.startswith(OURS) and is_reference(mark)
    return {
        "provider": "paypal",
        "account": account,
        "payment_id": capture_of(refund),
        "refund_id": reference(refund, "id"),
        "money": money(refund, "amount", signed=True),
        "refund_request_id": str(mark).removeprefix(OURS) if ours else "",
    }


def _is_capture(event: ProviderEvent, found: Mapping[str, Any]) -> bool:
    """By its own link, else by what the event says; a refund's own link leads to refunds."""
    own = next((link.get("href") for link in items(found, "links") if link.get("rel") == "self"), None)
    if isinstance(own, str):
        return _CAPTURE.search(own) is not None
    return event.data.get("resource_type") == "capture"


def _not_pending(status: str) -> None:
    if status == "PENDING":
        raise EventIgnored("The refund is pending: PayPal tells when it is done.")


def _when(event: ProviderEvent, found: Mapping[str, Any]) -> Any:
    return moment((found, "update_time"), (found, "create_time"), (event.data, "create_time"))
