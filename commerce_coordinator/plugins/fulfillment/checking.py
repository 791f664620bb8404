"""Is this payment the price of this order? Pure, but for the question to the system of record."""

import dataclasses

from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from .filters import OrderDetailsRequested

NO_LINES = "What was ordered is not known: neither the payment nor a system of record names a line."
NOT_TOLD = "A system of record cannot say what was ordered."
OTHER_ORDER = "The system of record answered with another order."
OTHER_CURRENCY = "The payment's currency is not that of the price."
OTHER_AMOUNT = "The amount received is not the price."
SAME_NUMBERS = "Two lines of the order have the same number."
NO_BUYER = "Who bought it is not known: neither the payment nor a system of record names the learner."
PAID_TWICE = "Paid twice: another payment stands for this order already."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checked:
    """An order as it was found; `held_because` is empty when the payment may place it. `told`: a source's own words.

    The buyer: whom the payment names, else whom the system of record names.
    """

    lms_user_id: int | None = None
    username: str = ""
    email: str = ""
    lines: tuple[OrderLine, ...] = ()
    owed: Money | None = None
    held_because: str = ""
    told: str = ""


def check_order(
    *,
    provider: str,
    account: str,
    payment_id: str,
    order_number: str,
    money: Money,
    lines: tuple[OrderLine, ...],
    lms_user_id: int | None = None,
    username: str = "",
    email: str = "",
) -> Checked:
    """Ask for the order's details and compare. Raises what a source raises: Retry when it is away."""
    try:
        details = OrderDetailsRequested.ask(
            order_number=order_number, provider=provider, account=account, payment_id=payment_id, lines=lines
        ).get("details")
    except GiveUp as error:
        return Checked(held_because=NOT_TOLD, told=str(error))
    if details is None:
        return Checked(held_because=NO_LINES)
    if lms_user_id is None or not username:
        # All of it from one source: an id of one and the name of another could be two people.
        lms_user_id, username, email = details.lms_user_id, details.username, details.email
    unknown = lms_user_id is None or not username
    return Checked(
        lms_user_id=lms_user_id,
        username=username,
        email=email,
        lines=details.lines,
        owed=details.owed,
        held_because=why_held(details, order_number=order_number, money=money) or (NO_BUYER if unknown else ""),
    )


def why_held(details: OrderDetails, *, order_number: str, money: Money) -> str:
    """A sentence without values; empty when the payment is what the order costs, as far as the source knows."""
    numbers = [line.line_number for line in details.lines]
    owed = details.owed
    reasons = {
        OTHER_ORDER: details.order_number != order_number,
        SAME_NUMBERS: len(set(numbers)) < len(numbers),
        OTHER_CURRENCY: owed is not None and owed.currency != money.currency,
        OTHER_AMOUNT: owed is not None and owed.amount != money.amount,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")
