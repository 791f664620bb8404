"""What we do at PayPal. Each task looks before it acts: PayPal may have done it, and its answer be lost."""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood, GiveUp
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails

from .capturing import APPROVED, COMPLETED, status_of, why_not
from .client import PayPalClient, Refused, paypal_client
from .events import order_number_of, total_of
from .filters import PriceOwedRequested
from .refunds import FAILED, OURS
from .signals import order_not_captured
from .values import child, items

#: PayPal's names for what has been done already (source: its Orders and Payments API, version 2).
ALREADY_CAPTURED = "ORDER_ALREADY_CAPTURED"
ALREADY_REFUNDED = "CAPTURE_FULLY_REFUNDED"

#: What PayPal's field custom_id holds.
LONGEST_CUSTOM_ID = 127


@delivery_task(sends=[order_not_captured])
def capture_order(*, account: str, paypal_order_id: str, order_number: str) -> None:
    """Take the buyer's money, once, if what he approved is the price of his order.

    `payment_captured` follows from PayPal's event, not from this call's answer. Raises GiveUp for what is not captured:
    a replay looks again. Raises Retry while a source of the price is away.
    """
    api = paypal_client(account)
    order = api.order(paypal_order_id)
    if order is None:
        raise GiveUp("PayPal has no such order, or has it no more: an approval that nobody captures ends in hours.")
    if status_of(order) == COMPLETED:
        return
    if status_of(order) != APPROVED:
        raise GiveUp(f"PayPal's order is {status_of(order)}: there is nothing to capture.")
    units = items(order, "purchase_units")
    try:
        approved, number = total_of(units), order_number_of(units[0])
    except (EventNotUnderstood, EventIgnored, IndexError) as error:
        raise GiveUp(f"PayPal's order is not understood: {error}") from None
    details = PriceOwedRequested.ask(
        order_number=order_number, provider="paypal", account=account, payment_id=paypal_order_id, lines=()
    ).get("details")
    if reason := why_not(order_number, number, approved, details):
        _hold(account, paypal_order_id, order_number, approved, details, reason)
    try:
        api.capture_order(paypal_order_id, request_id=f"capture-{paypal_order_id}")
    except Refused as error:
        if ALREADY_CAPTURED not in error.issues:
            raise


@delivery_task
def refund_payment(
    *,
    refund_request_id: str,
    provider: str,
    account: str,
    payment_id: str,
    money: Money | None = None,
) -> None:
    """Give back what was asked for, once per request; other providers' payments are left alone.

    `payment_refunded` follows from PayPal's event, not from this call's answer. Raises GiveUp where PayPal refuses.
    """
    if provider != "paypal":
        return
    custom_id = OURS + refund_request_id
    if len(custom_id) > LONGEST_CUSTOM_ID:
        raise GiveUp(
            f"PayPal's custom_id holds {LONGEST_CUSTOM_ID} characters, too few for this request's id. Refund it there."
        )
    api = paypal_client(account)
    capture = api.capture(payment_id)
    if capture.get("status") == "REFUNDED" or _is_there(api, capture, custom_id):
        return
    try:
        api.refund(payment_id, money=money, custom_id=custom_id, request_id=_request_id(custom_id))
    except Refused as error:
        if ALREADY_REFUNDED not in error.issues:
            raise


def _hold(account: str, order_id: str, number: str, approved: Money, details: OrderDetails | None, reason: str) -> None:
    owed = details.owed if details else None
    order_not_captured.send_robust(
        sender=capture_order,
        provider="paypal",
        account=account,
        payment_id=order_id,
        order_number=number,
        money=approved,
        owed=owed,
        reason=reason,
        lms_user_id=details.lms_user_id if details else None,
    )
    price = f"the price is {owed}" if owed else "the price is not known"
    raise GiveUp(f"{reason} Approved: {approved}; {price}. Mend the order and replay this delivery.")


def _is_there(api: PayPalClient, capture: Mapping[str, Any], custom_id: str) -> bool:
    """Has PayPal a refund of this request? Its order lists the refunds of its captures."""
    order_id = child(child(capture, "supplementary_data"), "related_ids").get("order_id")
    order = api.order(order_id) if isinstance(order_id, str) else None
    return any(
        refund.get("custom_id") == custom_id and refund.get("status") not in FAILED
        for unit in items(order or {}, "purchase_units")
        for refund in items(child(unit, "payments"), "refunds")
    )


def _request_id(fallback: str) -> str:
    """The same in every try of one delivery; another for a replay of one that had succeeded."""
    attempt = running_attempt()
    return attempt.idempotency_key if attempt else fallback
