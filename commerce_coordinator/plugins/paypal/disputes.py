"""From PayPal's disputes to our payloads. Pure functions, as in events.py."""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.payloads.money import Money

from .events import resource_of
from .values import child, code, items, moment, money, reference

#: How a dispute can end (source: PayPal's Disputes API, dispute_outcome.outcome_code).
LOST = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})
WON = frozenset({"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"})

_TRANSACTIONS = "resource.disputed_transactions[]."


def payment_disputed_from_dispute(event: ProviderEvent, account: str) -> list[dict[str, Any]]:
    """The values of `payment_disputed` from CUSTOMER.DISPUTE.CREATED."""
    dispute = resource_of(event)
    if dispute.get("dispute_life_cycle_stage") == "INQUIRY":
        raise EventIgnored("An inquiry is no dispute yet: buyer and seller still talk.")
    when = moment((dispute, "create_time"), (event.data, "create_time"))
    reason = code(dispute.get("reason"))
    return [
        {**each, "disputed_at": when, "reason": reason}
        for each in _per_payment(dispute, account, money(dispute, "dispute_amount"))
    ]


def dispute_lost_from_dispute(event: ProviderEvent, account: str) -> list[dict[str, Any]]:
    """The values of `dispute_lost` from CUSTOMER.DISPUTE.RESOLVED. PayPal tells of the money by a refund as well."""
    dispute = resource_of(event)
    if _outcome(dispute) not in LOST:
        raise EventIgnored("The dispute was not lost.")
    outcome = child(dispute, "dispute_outcome")
    if outcome.get("amount_refunded") is None:
        gone = money(dispute, "dispute_amount")
    else:
        gone = money(outcome, "amount_refunded", where="resource.dispute_outcome.")
    when = _resolved_at(event, dispute)
    return [{**each, "lost_at": when, "told_as_refund": True} for each in _per_payment(dispute, account, gone)]


def dispute_won_from_dispute(event: ProviderEvent, account: str) -> list[dict[str, Any]]:
    """The values of `dispute_won` from CUSTOMER.DISPUTE.RESOLVED."""
    dispute = resource_of(event)
    if _outcome(dispute) not in WON:
        raise EventIgnored("The dispute was not won.")
    when = _resolved_at(event, dispute)
    return [{**each, "won_at": when} for each in _per_payment(dispute, account, money(dispute, "dispute_amount"))]


def _outcome(dispute: Mapping[str, Any]) -> str:
    found = child(dispute, "dispute_outcome").get("outcome_code")
    if not isinstance(found, str) or found not in LOST | WON:
        raise EventNotUnderstood("resource.dispute_outcome.outcome_code is missing or unknown.")
    return found


def _resolved_at(event: ProviderEvent, dispute: Mapping[str, Any]) -> Any:
    return moment((dispute, "update_time"), (event.data, "create_time"))


def _per_payment(dispute: Mapping[str, Any], account: str, total: Money) -> list[dict[str, Any]]:
    """One entry per disputed payment. Of several, each has its part only where their own amounts make up the whole.

    A dispute of several payments is told once per payment: its id gets the payment's behind it.
    """
    dispute_id = reference(dispute, "dispute_id")
    transactions = items(dispute, "disputed_transactions")
    if not transactions:
        raise EventNotUnderstood("resource.disputed_transactions is missing or empty.")
    ids = [reference(each, "seller_transaction_id", where=_TRANSACTIONS) for each in transactions]
    common = {"provider": "paypal", "account": account}
    if len(set(ids)) == 1:
        return [{**common, "payment_id": ids[0], "dispute_id": dispute_id, "money": total}]
    parts = [money(each, "gross_amount", where=_TRANSACTIONS) for each in transactions]
    if (
        len(set(ids)) != len(ids)
        or {each.currency for each in parts} != {total.currency}
        or sum(each.amount for each in parts) != total.amount
    ):
        raise EventNotUnderstood(f"{_TRANSACTIONS}gross_amount do not tell which payment has which part.")
    return [
        {**common, "payment_id": payment_id, "dispute_id": f"{dispute_id}:{payment_id}", "money": part}
        for payment_id, part in zip(ids, parts, strict=True)
    ]
