"""Answers that fulfilment gives: what a payment names itself, and whether an order's money may go back."""

import dataclasses
from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from .models import Payment

ANOTHER_LEARNER = "The order is another learner's."
NOT_PLACED = "The order of this payment is not placed; see the held orders."
NOT_IN_ORDER = "The order has no line of this number."
FREE = "Nothing was paid for the order."
NOT_ONE_ENTITLEMENT = (
    "Which line of the order this entitlement came from cannot be told: refund it at the provider by hand."
)
PRICE_NOT_KNOWN = (
    "The order has other lines, and the price of this one is not known: refund it at the provider by hand."
)
REFUNDED = "The money has gone back already."


class PaymentMetadata(PipelineStep):
    """The lines that the payment itself names. It does not know the price, so another source may know better."""

    def run_filter(
        self, *, order_number: str, lines: tuple[OrderLine, ...], details: OrderDetails | None = None, **_: Any
    ) -> dict[str, Any]:
        if details is not None or not lines:
            return {}
        return {"details": OrderDetails(order_number=order_number, lines=lines, source="payment metadata")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """Whether, and how much: None is all that is left of the payment."""

    eligible: bool = False
    already_refunded: bool = False
    reason: str = ""
    money: Money | None = None


class RefundEligibility(PipelineStep):
    """May this order, or this line of it, be refunded? Answers nothing for an order that we know nothing of."""

    def run_filter(
        self,
        *,
        order_number: str,
        line_number: int | None = None,
        username: str = "",
        lms_user_id: int | None = None,
        entitlement_uuid: str = "",
        **_: Any,
    ) -> dict[str, Any]:
        payments = list(Payment.objects.filter(order_number=order_number).order_by("-pk"))
        if not payments:
            return {}
        # Of several, the one that the order stands by; if none, the latest.
        payment = next((each for each in payments if each.placed_order), payments[0])
        reason = ""
        if entitlement_uuid and line_number is None:
            # The LMS tells its own id of the entitlement, and no line.
            line_number = line_of_an_entitlement(payment)
            reason = "" if line_number else NOT_ONE_ENTITLEMENT
        answer = eligibility(payment, line_number, username=username, lms_user_id=lms_user_id)
        if reason and answer.eligible:
            answer = Answer(reason=reason)
        return {
            **dataclasses.asdict(answer),
            "money": answer.money,
            "line_number": line_number,
            "payment": payment.reference,
            "lms_user_id": payment.lms_user_id,
        }


def line_of_an_entitlement(payment: Payment) -> int | None:
    """The number of the order's one line that is an entitlement; None when there are several, or none."""
    found = [line.line_number for line in payment.order_lines if line.course_uuid]
    return found[0] if len(found) == 1 else None


def eligibility(payment: Payment, line_number: int | None, *, username: str, lms_user_id: int | None) -> Answer:
    """From the payment's row alone."""
    if not is_whose(payment, username=username, lms_user_id=lms_user_id):
        return Answer(reason=ANOTHER_LEARNER)
    if payment.refunded_at or (line_number is not None and line_number in payment.taken_back):
        return Answer(already_refunded=True, reason=REFUNDED)
    if payment.placed_order is None:
        return Answer(reason=NOT_PLACED)
    if not payment.amount:
        return Answer(reason=FREE)
    if line_number is None:
        return Answer(eligible=True)
    asked = next((line for line in payment.given if line.line_number == line_number), None)
    if asked is None:
        return Answer(reason=NOT_IN_ORDER)
    if len(payment.given) == 1:
        return Answer(eligible=True)
    if asked.price is None or asked.price.currency != payment.currency:
        return Answer(reason=PRICE_NOT_KNOWN)
    return Answer(eligible=True, money=asked.price)


def is_whose(payment: Payment, *, username: str, lms_user_id: int | None) -> bool:
    """By the LMS's own id where it is told; user names of the LMS differ by more than capitals."""
    if lms_user_id is not None:
        return payment.lms_user_id == lms_user_id
    return not username or payment.username.casefold() == username.casefold()
