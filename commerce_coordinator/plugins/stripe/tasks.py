"""What we do at Stripe. Each task looks before it acts: Stripe may have done it, and its answer be lost."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money

from .client import AnsweredBefore, StripeApi, stripe_api
from .currencies import from_units, to_units
from .signals import payment_refunded

#: A refund in one of these has given nothing back, and will not.
ENDED_WITHOUT_EFFECT = frozenset({"failed", "canceled"})

#: So many answers given again are more than one delivery can have caused.
MOST_KEYS = 10


@delivery_task
def refund_payment(
    *,
    refund_request_id: str,
    order_number: str,
    provider: str,
    account: str,
    payment_id: str,
    money: Money | None = None,
) -> None:
    """Give back what was asked for, once per request; other providers' payments are left alone.

    `payment_refunded` follows from Stripe's event, not from this call's answer: only then it has succeeded. Raises
    GiveUp for a payment whose dispute forbids it, and for more than is left.
    """
    if provider != "stripe":
        return
    api = stripe_api(account)
    metadata = {
        "source_system": settings.CC_SOURCE_SYSTEM,
        "order_number": order_number,
        "refund_request_id": refund_request_id,
    }
    for key in _keys(f"{account}:{payment_id}:{refund_request_id}"):
        if _is_there(api, payment_id, refund_request_id):
            return
        left, currency = _left(api, payment_id)
        amount = None if money is None else to_units(money)
        if left == 0:
            return
        if money is not None and (money.currency.lower() != currency or (amount or 0) > left):
            raise GiveUp("More is to go back than is left of the payment, or in another currency. See it at Stripe.")
        try:
            api.refund(payment_id, amount=amount, metadata=metadata, idempotency_key=key)
        except AnsweredBefore:
            # The call that Stripe remembers under this key has ended, in a failure. Looking again shows whether it gave
            # the money back all the same; if not, only another key gets another answer.
            continue
        return
    raise Retry("Stripe answers each try with the failure of an earlier one.")


@delivery_task(sends=[payment_refunded])
def read_refunds(*, account: str, payment_id: str) -> None:
    """Tell of the refunds that Stripe's event announced and did not carry, as older versions of its API do."""
    for refund in stripe_api(account).refunds(payment_id):
        if refund.get("status") != "succeeded":
            continue
        payment_refunded.send_robust(
            sender=read_refunds,
            provider="stripe",
            account=account,
            payment_id=payment_id,
            refund_id=refund["id"],
            money=from_units(refund["amount"], refund["currency"]),
            refunded_at=datetime.fromtimestamp(refund["created"], UTC),
            refund_request_id=(refund.get("metadata") or {}).get("refund_request_id") or "",
        )


def _keys(fallback: str) -> list[str]:
    """The delivery's own key, the same in every try, so that a call that is still under way is not made twice. Then
    others, for calls that are known to have ended."""
    attempt = running_attempt()
    first = attempt.idempotency_key if attempt else fallback
    return [first, *(f"{first}-{number}" for number in range(2, MOST_KEYS + 1))]


def _is_there(api: StripeApi, payment_id: str, refund_request_id: str) -> bool:
    """Has Stripe a refund of this request that gave the money back, or is about to?"""
    return any(
        (refund.get("metadata") or {}).get("refund_request_id") == refund_request_id
        and refund.get("status") not in ENDED_WITHOUT_EFFECT
        for refund in api.refunds(payment_id)
    )


def _left(api: StripeApi, payment_id: str) -> tuple[int, str]:
    """(what can go back, in Stripe's units; the currency). Raises GiveUp where nothing may."""
    intent = api.payment_intent(payment_id)
    charge = (intent or {}).get("latest_charge")
    if intent is None or not isinstance(charge, Mapping):
        raise GiveUp("Stripe has no charge of this payment: see whether the account is the right one.")
    if charge.get("disputed") and not all(each.get("is_charge_refundable") for each in api.disputes(payment_id)):
        raise GiveUp("The payment is disputed, and Stripe takes no refund of it. Answer the dispute, or accept it.")
    captured: Any = charge.get("amount_captured", charge.get("amount", 0))
    return max(0, captured - charge.get("amount_refunded", 0)), str(intent.get("currency", ""))
