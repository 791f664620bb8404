"""What follows from a payment and from a refund. Each task first writes, then sends from what it wrote."""

from datetime import datetime
from typing import Any

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .giving_back import give_back
from .keeping import Capture
from .models import Payment
from .placing import ask_for_access, place
from .signals import (
    enrollment_requested,
    entitlement_requested,
    order_held,
    order_line_refunded,
    order_placed,
    order_refunded,
    refund_needs_attention,
    revocation_requested,
)
from .taking_back import Taken, take_back, tell_of_dispute


@delivery_task(sends=[order_placed, order_held])
def place_order(
    *,
    provider: str,
    account: str,
    payment_id: str,
    order_number: str,
    money: Money,
    lms_user_id: int | None = None,
    username: str = "",
    email: str = "",
    lines: tuple[OrderLine, ...] = (),
) -> None:
    """Turn a captured payment into a placed order, if it is the price of that order; else hold it.

    Raises GiveUp for a held order: its delivery waits with the dead letters, and a replay checks again. Raises Retry
    when a source of the details is away, or while an earlier payment's access is being taken back.
    """
    capture = Capture(
        provider=provider,
        account=account,
        payment_id=payment_id,
        order_number=order_number,
        money=money,
        lms_user_id=lms_user_id,
        username=username,
        email=email,
        lines=lines,
    )
    place(capture, sender=place_order)


@delivery_task(sends=[enrollment_requested, entitlement_requested])
def request_enrollments(
    *,
    order_number: str,
    lms_user_id: int,
    username: str,
    lines: tuple[OrderLine, ...],
    provider: str = "",
    account: str = "",
    payment_id: str = "",
) -> None:
    """Ask for one enrolment or entitlement per line, except for lines that were refunded in the meantime.

    A try that died half-way finds what it asked for and asks for the rest.
    """
    payment = Payment.objects.filter(provider=provider, account=account, payment_id=payment_id).first()
    taken_back = payment.taken_back if payment else ()
    wanted = [line for line in lines if line.line_number not in taken_back]
    ask_for_access(
        wanted, order_number=order_number, lms_user_id=lms_user_id, username=username, sender=request_enrollments
    )


@delivery_task(sends=[revocation_requested, order_refunded, order_line_refunded, refund_needs_attention])
def take_back_order(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    money: Money,
    refunded_at: datetime,
    refund_request_id: str = "",
) -> None:
    """Take back what a refunded payment gave: all of it, the one line that we asked a refund for, or tell somebody.

    Raises Retry while nobody has told of the payment itself, and while access to the order is still being given. By
    then the refund is kept, and no order is placed, and no line asked for, of money that has gone back.
    """
    taken = Taken(
        provider=provider,
        account=account,
        payment_id=payment_id,
        refund_id=refund_id,
        refund_request_id=refund_request_id,
        money=money,
        at=refunded_at,
    )
    take_back(taken, sender=take_back_order, asked_by=request_enrollments.name)


@delivery_task(sends=[revocation_requested, order_refunded, order_line_refunded, refund_needs_attention])
def take_back_disputed_order(
    *,
    provider: str,
    account: str,
    payment_id: str,
    dispute_id: str,
    money: Money,
    lost_at: datetime,
    told_as_refund: bool = False,
) -> None:
    """Take back what a payment gave whose money the buyer's bank, or the provider, has given back to him.

    As with a refund that names no line: all of it, when the whole has gone back; else somebody is told.
    """
    taken = Taken(
        provider=provider,
        account=account,
        payment_id=payment_id,
        refund_id=_of_dispute(dispute_id),
        money=money,
        at=lost_at,
        is_dispute=True,
        counts=not told_as_refund,
    )
    take_back(taken, sender=take_back_disputed_order, asked_by=request_enrollments.name)


@delivery_task(sends=[refund_needs_attention])
def note_dispute(
    *, provider: str, account: str, payment_id: str, dispute_id: str, money: Money, disputed_at: datetime
) -> None:
    """Tell somebody that the buyer disputes the payment; the access stays until it is lost."""
    disputed = Taken(
        provider=provider,
        account=account,
        payment_id=payment_id,
        refund_id=_of_dispute(dispute_id),
        money=money,
        at=disputed_at,
        is_dispute=True,
    )
    tell_of_dispute(disputed, sender=note_dispute)


@delivery_task(
    sends=[refund_needs_attention, order_placed, order_held, enrollment_requested, entitlement_requested],
)
def undo_refund(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    money: Money,
    failed_at: datetime,
    refund_request_id: str = "",
) -> None:
    """Let stand again what a refund that failed had taken, and tell the operator: the buyer still waits for his money.

    Raises Retry while access to the order is being taken back or given: one after the other, not both at once.
    """
    failed = Taken(
        provider=provider,
        account=account,
        payment_id=payment_id,
        refund_id=refund_id,
        refund_request_id=refund_request_id,
        money=money,
        at=failed_at,
    )
    give_back(failed, sender=undo_refund, asked_by=request_enrollments.name)


@delivery_task(sends=[revocation_requested])
def take_back_late_enrollment(
    *, order_number: str, line_number: int, username: str, course_key: str, mode: str
) -> None:
    """Take an enrolment back that was made after its line was refunded: a dead letter that was replayed, for one."""
    _take_back_late(
        take_back_late_enrollment, order_number, line_number, username=username, course_key=course_key, mode=mode
    )


@delivery_task(sends=[revocation_requested])
def take_back_late_entitlement(
    *, order_number: str, line_number: int, username: str, course_uuid: str, mode: str
) -> None:
    """Take an entitlement back that was granted after its line was refunded."""
    _take_back_late(
        take_back_late_entitlement, order_number, line_number, username=username, course_uuid=course_uuid, mode=mode
    )


def _take_back_late(sender: Any, order_number: str, line_number: int, **access: str) -> None:
    """Of an order that we know nothing of, nothing is late."""
    payments = Payment.objects.filter(order_number=order_number) if order_number else ()
    if any(line.line_number == line_number for payment in payments for line in payment.given):
        return
    late = next((payment for payment in payments if line_number in payment.taken_back), None)
    if late is not None:
        revocation_requested.send_robust(
            sender=sender,
            order_number=order_number,
            line_number=line_number,
            lms_user_id=late.lms_user_id,
            **access,
        )


def _of_dispute(dispute_id: str) -> str:
    """Among the refunds of its payment: no provider's refund has such an id."""
    return f"dispute:{dispute_id}"
