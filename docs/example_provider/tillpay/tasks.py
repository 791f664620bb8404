"""Refunds that go out."""

from django.conf import settings

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.payloads.money import Money

from .client import TillpayClient
from .money import units_of


@delivery_task
def refund_payment(*, provider: str, payment_id: str, refund_request_id: str, money: Money | None = None) -> None:
    """Ask Tillpay for the refund, once per request. That it was made, Tillpay's webhook tells, and nobody before."""
    if provider != "tillpay":  # every provider's task hears every request
        return
    try:
        amount = None if money is None else units_of(money)
    except ValueError:
        raise GiveUp("Tillpay cannot count this amount in this currency.") from None
    tillpay = TillpayClient()
    # A try before this one may have come this far and died: look before you act.
    made = {refund.get("reference", {}).get("request") for refund in tillpay.refunds_of(payment_id)}
    if refund_request_id in made:
        return
    reference = {"system": settings.CC_SOURCE_SYSTEM, "request": refund_request_id}
    tillpay.refund(payment_id, amount=amount, reference=reference, key=refund_request_id)
