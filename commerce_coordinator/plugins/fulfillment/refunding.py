"""What follows from a refund. Pure functions on the rows of one payment."""

from collections.abc import Iterable

from .models import Payment, Refund

OTHER_CURRENCY = "The refund's currency is not the payment's."
TOO_MUCH = "More went back than was captured."
PART = "A part of the payment went back, and which line it was for is not known."
TWICE = "Money went back for a line that was refunded before."
FAILED = "A refund failed: the money is with us again, and so is the access that it had taken. Refund in another way."
DISPUTED = "The buyer disputes the payment. The access stays; answer at the provider before its deadline."

#: What a request for the whole order has in the place of a line's number.
WHOLE_ORDER = "all"


def refund_request_id(order_number: str, line_number: int | None) -> str:
    """The name of a request for a refund, the same for every try of it; None asks for the whole order."""
    return f"{order_number}:{line_number or WHOLE_ORDER}"


def requested_line(payment: Payment, request_id: str) -> int | None:
    """The number of the one line that this request was for; None when it was for all, or is not of this order."""
    numbers = {line.line_number for line in payment.order_lines}
    return next((n for n in numbers if request_id == refund_request_id(payment.order_number, n)), None)


def standing(payment: Payment, refunds: Iterable[Refund]) -> list[Refund]:
    """Those whose money is gone: in the payment's currency, and not failed."""
    return [refund for refund in refunds if refund.stands and refund.currency == payment.currency]


def refunded_amount(payment: Payment, refunds: Iterable[Refund]) -> int:
    """In the minor units of the payment's currency. Money that is told of twice counts once."""
    return sum(refund.amount for refund in standing(payment, refunds) if refund.counts)


def is_wholly_refunded(payment: Payment, refunds: Iterable[Refund]) -> bool:
    """Has all of it gone back? Never without any refund: an order that cost nothing is no refunded one."""
    found = standing(payment, refunds)
    told_twice = max((refund.amount for refund in found if not refund.counts), default=0)
    return bool(found) and max(refunded_amount(payment, found), told_twice) >= (payment.amount or 0)


def lines_gone(payment: Payment, refunds: Iterable[Refund]) -> set[int]:
    """Numbers of the lines whose money is gone, by all that was told."""
    refunds = list(refunds)
    if is_wholly_refunded(payment, refunds):
        return {line.line_number for line in payment.order_lines}
    asked = (requested_line(payment, refund.refund_request_id) for refund in standing(payment, refunds))
    return {line for line in asked if line is not None}


def settle(payment: Payment, refund: Refund, refunds: Iterable[Refund]) -> None:
    """Decide what follows from this refund, and note it in both rows. `refunds`: all of the payment's, this one too."""
    refunds = list(refunds)
    if not refund.stands:
        refund.settle()
        return
    whole = refund.currency == payment.currency and is_wholly_refunded(payment, refunds)
    line = None if whole else requested_line(payment, refund.refund_request_id)
    reasons = {
        OTHER_CURRENCY: refund.currency != payment.currency,
        TOO_MUCH: whole and refunded_amount(payment, refunds) > (payment.amount or 0),
        PART: not whole and line is None and refund.counts,
        TWICE: line in payment.taken_back,
    }
    goes = [each.line_number for each in payment.given if whole or each.line_number == line]
    if refund.currency != payment.currency:
        goes = []
    refund.settle(
        whole=whole,
        took_back=goes,
        attention=next((reason for reason, applies in reasons.items() if applies), ""),
    )
    payment.taken_back = sorted({*payment.taken_back, *goes})
    if whole:
        payment.placed_order = None
        payment.refunded_at = payment.refunded_at or refund.settled_at


def undo(payment: Payment, refund: Refund, refunds: Iterable[Refund], *, order_is_free: bool) -> None:
    """Note in both rows what returns as this refund has failed. `refunds`: all of the payment's, this one failed.

    order_is_free: no other payment stands for the order.
    """
    refunds = list(refunds)
    gone = lines_gone(payment, refunds)
    refund.gave_back = [number for number in payment.taken_back if number not in gone]
    payment.taken_back = [number for number in payment.taken_back if number in gone]
    if payment.refunded_at and not is_wholly_refunded(payment, refunds):
        payment.refunded_at = None
        if payment.placed_at and order_is_free:
            payment.placed_order = payment.order_number
