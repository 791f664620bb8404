"""What follows from a refund. Pure functions on the rows of one payment."""

from collections.abc import Iterable

from .models import Payment, Refund

OTHER_CURRENCY = "The refund's currency is not the payment's."
TOO_MUCH = "More went back than was captured."
PART = "A part of the payment went back, and which line it was for is not known."
TWICE = "Money went back for a line that was refunded before."

#: What a request for the whole order has in the place of a line's number.
WHOLE_ORDER = "all"


def refund_request_id(order_number: str, line_number: int | None) -> str:
    """The name of a request for a refund, the same for every try of it; None asks for the whole order."""
    return f"{order_number}:{line_number or WHOLE_ORDER}"


def requested_line(payment: Payment, request_id: str) -> int | None:
    """The number of the one line that this request was for; None when it was for all, or is not of this order."""
    numbers = {line.line_number for line in payment.order_lines}
    return next((n for n in numbers if request_id == refund_request_id(payment.order_number, n)), None)


def refunded_amount(payment: Payment, refunds: Iterable[Refund]) -> int:
    """In the minor units of the payment's currency."""
    return sum(refund.amount for refund in refunds if refund.currency == payment.currency)


def is_wholly_refunded(payment: Payment, refunds: Iterable[Refund]) -> bool:
    """Has all of it gone back? Never without any refund: an order that cost nothing is no refunded one."""
    same_currency = [refund for refund in refunds if refund.currency == payment.currency]
    return bool(same_currency) and refunded_amount(payment, same_currency) >= (payment.amount or 0)


def settle(payment: Payment, refund: Refund, refunds: Iterable[Refund]) -> None:
    """Decide what follows from this refund, and note it in both rows. `refunds`: all of the payment's, this one too."""
    refunds = list(refunds)
    whole = refund.currency == payment.currency and is_wholly_refunded(payment, refunds)
    line = None if whole else requested_line(payment, refund.refund_request_id)
    reasons = {
        OTHER_CURRENCY: refund.currency != payment.currency,
        TOO_MUCH: whole and refunded_amount(payment, refunds) > (payment.amount or 0),
        PART: not whole and line is None,
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
