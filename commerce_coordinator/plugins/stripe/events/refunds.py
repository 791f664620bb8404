"""Refunds. Two families of events tell of them, by API version, and overlap: a refund's id tells that it is the same.

Until 2022-11-15 a charge carries its refunds; since 2024-10-28 `refund.*` tells of each. In between `charge.refunded`
says only that there is one, and the refunds must be asked for (source: Stripe's changelog of its API).

A refund names its payment, not whose it is: that is decided by who keeps the payments.
"""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent

from .reading import code, metadata_of, money, not_of_another, object_of, payment_of, text, text_or_none, time

#: From this version on `refund.created` and `refund.updated` are sent for the refunds of all charges.
REFUND_EVENTS_SINCE = "2024-10-28"

SUCCEEDED = "succeeded"
FAILED = frozenset({"failed", "canceled"})
UNDECIDED = frozenset({"pending", "requires_action"})


# --- refund.*, and its older name charge.refund.updated ---


def payment_refunded_from_refund(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_refunded` from a refund that succeeded."""
    refund = object_of(event)
    not_of_another(refund)
    if _status(refund) != SUCCEEDED:
        raise EventIgnored("No refund yet: data.object.status is another than succeeded.")
    return {
        **_refund(refund, account, payment_of(refund)),
        "refunded_at": time(event.data, "created"),
    }


def refund_failed_by_status(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `refund_failed` from an update of a refund that failed or was canceled."""
    if _status(object_of(event)) not in FAILED:
        raise EventIgnored("The refund has not failed.")
    return refund_failed_from_refund(event, account)


def refund_failed_from_refund(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `refund_failed` from `refund.failed`, which may come long after the refund succeeded."""
    refund = object_of(event)
    not_of_another(refund)
    return {
        **_refund(refund, account, payment_of(refund)),
        "failed_at": time(event.data, "created"),
        "reason": code(refund.get("failure_reason")) or code(refund.get("status")),
    }


def _status(refund: Mapping[str, Any]) -> str:
    status = text(refund, "status")
    if status != SUCCEEDED and status not in FAILED | UNDECIDED:
        raise EventNotUnderstood("data.object.status is no status of a refund.")
    return status


# --- charge.refunded ---


def payments_refunded_from_charge(event: ProviderEvent, account: str) -> list[dict[str, Any]]:
    """The values of `payment_refunded` for each refund that the charge carries, as it does until 2022-11-15."""
    charge = object_of(event)
    not_of_another(charge)
    refunds = _carried(charge)
    if not refunds:
        raise EventIgnored("The charge does not carry its refunds.")
    payment_id = payment_of(charge)
    found: dict[str, dict[str, Any]] = {}
    for number, refund in enumerate(refunds):
        where = f"data.object.refunds.data[{number}]."
        if not isinstance(refund, dict):
            raise EventNotUnderstood(f"{where.rstrip('.')} is no object.")
        # The oldest ones have no status: they took effect at once.
        if _is_anothers(refund) or refund.get("status") not in (None, SUCCEEDED):
            continue
        values = _refund(refund, account, payment_id, where=where)
        # Its own time: a charge carries the refunds of earlier events too.
        found[values["refund_id"]] = {**values, "refunded_at": time(refund, "created", where=where)}
    if not found:
        raise EventIgnored("None of the charge's refunds is ours and has succeeded.")
    return list(found.values())


def charge_refunded_from_charge(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `charge_refunded`, for a charge that does not carry all of its refunds while no event tells them.

    A version that is not told is taken for one of those: to ask in vain does no harm.
    """
    charge = object_of(event)
    not_of_another(charge)
    if _carried(charge) and charge["refunds"].get("has_more") is not True:
        raise EventIgnored("The charge itself tells of its refunds.")
    version = event.data.get("api_version")
    if isinstance(version, str) and version[:1].isdigit() and version[:10] >= REFUND_EVENTS_SINCE:
        raise EventIgnored("Events of each refund tell of this.")
    return {"account": account, "payment_id": payment_of(charge), "charge_id": text(charge, "id")}


def _carried(charge: Mapping[str, Any]) -> list[Any]:
    """The refunds in a charge, at most ten, the latest ones; none where it does not carry any."""
    refunds = charge.get("refunds")
    if refunds is None:
        return []
    if not isinstance(refunds, dict) or not isinstance(refunds.get("data"), list):
        raise EventNotUnderstood("data.object.refunds is no list of refunds.")
    return refunds["data"]


def _is_anothers(refund: Mapping[str, Any]) -> bool:
    try:
        not_of_another(refund)
    except EventIgnored:
        return True
    return False


def _refund(refund: Mapping[str, Any], account: str, payment_id: str, *, where: str = "data.object.") -> dict[str, Any]:
    return {
        "provider": "stripe",
        "account": account,
        "payment_id": payment_id,
        "refund_id": text(refund, "id", where=where),
        "money": money(refund, "amount", where=where),
        "refund_request_id": text_or_none(metadata_of(refund), "refund_request_id", where=f"{where}metadata."),
    }
