"""What follows from a payment and from a refund. Each task first writes, then sends from what it wrote."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .checking import Checked, check_order
from .keeping import Capture, keep_capture, keep_refund, payments_of, still_giving, still_taking_back
from .models import Payment, Refund
from .signals import (
    enrollment_requested,
    entitlement_requested,
    order_held,
    order_placed,
    order_refunded,
    refund_needs_attention,
    revocation_requested,
)


@delivery_task(sends=[order_placed, order_held])
def place_order(
    *,
    provider: str,
    account: str,
    payment_id: str,
    order_number: str,
    money: Money,
    lms_user_id: int,
    username: str,
    email: str,
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
    )
    payment, others = payments_of(capture)
    checked = Checked()
    if payment is None or not (payment.placed_at or payment.refunded_at):
        if still_taking_back(others):
            raise Retry("The access that a refunded payment of this order gave is still being taken back.")
        try:
            checked = check_order(**capture.reference, order_number=order_number, money=money, lines=lines)
        except Exception:
            # A refund that comes in the meantime must find what was captured.
            keep_capture(capture, payment, others, None)
            raise
        payment = keep_capture(capture, payment, others, checked)
    if payment.refunded_at:
        return  # refunded beats captured
    if payment.held_because:
        _hold(capture, checked, payment.held_because)
    order_placed.send_robust(sender=place_order, **vars(capture), lines=payment.order_lines)


def _hold(capture: Capture, checked: Checked, reason: str) -> None:
    order_held.send_robust(
        sender=place_order,
        **capture.reference,
        order_number=capture.order_number,
        money=capture.money,
        owed=checked.owed,
        reason=reason,
        lms_user_id=capture.lms_user_id,
    )
    price = f"the price is {checked.owed}" if checked.owed else "the price is not known"
    known = f"{reason} {checked.told}".strip()
    raise GiveUp(
        f"The order is held. {known} Received: {capture.money}; {price}. "
        "Mend the order or refund the payment, then replay this delivery."
    )


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
    for line in lines:
        if payment is not None and line.line_number in payment.taken_back:
            continue
        about = {
            "sender": request_enrollments,
            "order_number": order_number,
            "line_number": line.line_number,
            "lms_user_id": lms_user_id,
            "username": username,
            "mode": line.mode,
        }
        if line.course_uuid:
            entitlement_requested.send_robust(**about, course_uuid=line.course_uuid)
        else:
            enrollment_requested.send_robust(**about, course_key=line.course_key, credit_provider=line.credit_provider)


@delivery_task(sends=[revocation_requested, order_refunded, refund_needs_attention])
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
    if money.amount < 0:
        raise GiveUp("A refund's amount is negative. What goes back is counted from zero up.")
    refund = keep_refund(
        provider=provider,
        account=account,
        payment_id=payment_id,
        refund_id=refund_id,
        refund_request_id=refund_request_id,
        money=money,
        refunded_at=refunded_at,
    )
    if refund.settled_at is None:
        raise Retry(
            "The refund is kept, but its payment has not been told of yet, or no order was made of it. If it was paid "
            "before this service kept payments, take the access back by hand."
        )
    if refund.sent_at is None:
        _tell(refund.payment, refund, money)
        _take_back(refund.payment, refund)
        Refund.objects.filter(pk=refund.pk).update(sent_at=timezone.now())


def _tell(payment: Payment, refund: Refund, money: Money) -> None:
    if refund.whole:
        order_refunded.send_robust(
            sender=take_back_order,
            **payment.reference,
            order_number=payment.order_number,
            refund_id=refund.refund_id,
            money=payment.money,
            lms_user_id=payment.lms_user_id,
            username=payment.username,
            email=payment.email,
            lines=payment.order_lines,
        )
    if refund.attention:
        refund_needs_attention.send_robust(
            sender=take_back_order,
            **payment.reference,
            refund_id=refund.refund_id,
            order_number=payment.order_number,
            money=money,
            reason=refund.attention,
        )


def _take_back(payment: Payment, refund: Refund) -> None:
    lines = [line for line in payment.order_lines if line.line_number in refund.took_back]
    # A learner who has retired has no name that the LMS would know, and no access there.
    if not lines or not payment.username:
        return
    if still_giving(payment.order_number, asked_by=request_enrollments.name):
        raise Retry("Access to this order is still being given. It is taken back when that has ended.")
    for line in lines:
        revocation_requested.send_robust(
            sender=take_back_order,
            order_number=payment.order_number,
            line_number=line.line_number,
            lms_user_id=payment.lms_user_id,
            username=payment.username,
            course_key=line.course_key,
            course_uuid=line.course_uuid,
            mode=line.mode,
        )


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
