"""What follows when a refund fails: the money is with us, so what was paid for is the learner's again."""

from typing import Any

from django.utils import timezone

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money

from .keeping import Capture, are_revoking, keep_failure, still_giving
from .models import Payment, Refund
from .placing import ask_for_access, place
from .refunding import FAILED
from .signals import refund_needs_attention
from .taking_back import Taken, is_anothers


def give_back(failed: Taken, *, sender: Any, asked_by: str) -> None:
    """Write it down, once, and send what follows. `asked_by`: the receiver that asks for access.

    Raises Retry while access to the order is being taken back or given.
    """
    if failed.money.amount < 0:
        raise GiveUp("A refund's amount is negative. What goes back is counted from zero up.")
    if is_anothers(failed):
        return
    refund = keep_failure(
        **failed.reference,
        refund_id=failed.refund_id,
        refund_request_id=failed.refund_request_id,
        money=failed.money,
        failed_at=failed.at,
    )
    if refund.undone_at is None:
        payment = refund.payment
        refund_needs_attention.send_robust(
            sender=sender,
            **payment.reference,
            refund_id=refund.refund_id,
            order_number=payment.order_number,
            money=failed.money,
            reason=FAILED,
        )
        _let_stand(payment, refund, sender, asked_by)
        Refund.objects.filter(pk=refund.pk).update(undone_at=timezone.now())


def _let_stand(payment: Payment, refund: Refund, sender: Any, asked_by: str) -> None:
    if payment.money is None or payment.refunded_at:
        return
    if payment.placed_at and payment.lms_user_id is None:
        return  # a learner who has retired has no name that the LMS would know
    # Where the refund came before the capture, or in between, no order was told of yet. One that is held is checked
    # again, and held again: this delivery waits with the dead letters, too.
    place(_capture_of(payment, payment.money), sender=sender)
    lines = [line for line in payment.given if line.line_number in refund.gave_back]
    if not lines or payment.lms_user_id is None:
        return
    if are_revoking([payment]) or still_giving(payment.order_number, asked_by=asked_by):
        raise Retry("Access to this order is still being taken back or given. It is given again when that has ended.")
    ask_for_access(
        lines,
        order_number=payment.order_number,
        lms_user_id=payment.lms_user_id,
        username=payment.username,
        sender=sender,
    )


def _capture_of(payment: Payment, money: Money) -> Capture:
    return Capture(
        **payment.reference,
        order_number=payment.order_number,
        money=money,
        lms_user_id=payment.lms_user_id,
        username=payment.username,
        email=payment.email,
        lines=payment.lines_by_payment,
    )
