"""Disputes. They name their payment, not whose it is: that is decided by who keeps the payments."""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent

from .reading import code, money, not_of_another, object_of, payment_of, text, time

#: What an inquiry's status starts with: a bank asks, and has not taken the money back (source: Stripe's Dispute).
INQUIRY = "warning_"
LOST, WON = "lost", "won"


def payment_disputed_from_dispute(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_disputed` from `charge.dispute.created`, unless it is an inquiry."""
    dispute = object_of(event)
    if text(dispute, "status").startswith(INQUIRY):
        raise EventIgnored("An inquiry, and no dispute yet.")
    return {
        **_dispute(dispute, account),
        "disputed_at": time(event.data, "created"),
        "reason": code(dispute.get("reason")),
    }


def dispute_lost_from_dispute(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `dispute_lost` from `charge.dispute.closed`. No refund tells of that money: Stripe makes none."""
    dispute = _ended(event, LOST)
    return {**_dispute(dispute, account), "lost_at": time(event.data, "created"), "told_as_refund": False}


def dispute_won_from_dispute(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `dispute_won` from `charge.dispute.closed`."""
    dispute = _ended(event, WON)
    return {**_dispute(dispute, account), "won_at": time(event.data, "created")}


def _ended(event: ProviderEvent, status: str) -> Mapping[str, Any]:
    dispute = object_of(event)
    found = text(dispute, "status")
    if found.startswith(INQUIRY):
        raise EventIgnored("An inquiry that was closed: no money has moved.")
    if found not in (LOST, WON):
        raise EventNotUnderstood("data.object.status is neither won nor lost.")
    if found != status:
        raise EventIgnored(f"The dispute was not {status}.")
    return dispute


def _dispute(dispute: Mapping[str, Any], account: str) -> dict[str, Any]:
    not_of_another(dispute)
    return {
        "provider": "stripe",
        "account": account,
        "payment_id": payment_of(dispute),
        "dispute_id": text(dispute, "id"),
        "money": money(dispute, "amount"),
    }
