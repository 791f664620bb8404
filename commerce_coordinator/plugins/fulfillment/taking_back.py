"""What follows from money that went back, by a refund or a lost dispute."""

import dataclasses
import logging
from datetime import datetime
from typing import Any

from django.utils import timezone

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money

from .filters import PaymentOwnerRequested
from .keeping import keep_refund, still_giving
from .models import Payment, Refund
from .refunding import DISPUTED
from .signals import order_line_refunded, order_refunded, refund_needs_attention, revocation_requested

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Taken:
    """What a provider told of money that went back, or that was to go back and did not. `at`: when that was."""

    provider: str
    account: str
    payment_id: str
    refund_id: str
    refund_request_id: str = ""
    money: Money
    at: datetime
    is_dispute: bool = False
    counts: bool = True

    @property
    def reference(self) -> dict[str, str]:
        return {"provider": self.provider, "account": self.account, "payment_id": self.payment_id}


def take_back(taken: Taken, *, sender: Any, asked_by: str) -> None:
    """Write it down, once, and send what follows. `asked_by`: the receiver that asks for access.

    Raises Retry while nobody has told of the payment itself, and while access to the order is still being given.
    """
    if taken.money.amount < 0:
        raise GiveUp("A refund's amount is negative. What goes back is counted from zero up.")
    if is_anothers(taken):
        return
    refund = keep_refund(
        **taken.reference,
        refund_id=taken.refund_id,
        refund_request_id=taken.refund_request_id,
        money=taken.money,
        refunded_at=taken.at,
        is_dispute=taken.is_dispute,
        counts=taken.counts,
    )
    if refund.settled_at is None:
        raise Retry(
            "The refund is kept, but its payment has not been told of yet, or no order was made of it. If it was paid "
            "before this service kept payments, take the access back by hand."
        )
    if refund.sent_at is None:
        if refund.stands:
            _tell(refund.payment, refund, taken.money, sender)
        # Also where it has failed meanwhile: of its lines, those are gone that other refunds have paid back by now.
        _revoke(refund.payment, refund, sender, asked_by)
        Refund.objects.filter(pk=refund.pk).update(sent_at=timezone.now())


def tell_of_dispute(disputed: Taken, *, sender: Any) -> None:
    """Nothing follows from it by itself, but somebody must answer it in time."""
    if is_anothers(disputed):
        return
    payment = Payment.objects.filter(**disputed.reference).first()
    refund_needs_attention.send_robust(
        sender=sender,
        **disputed.reference,
        refund_id=disputed.refund_id,
        order_number=payment.order_number if payment else "",
        money=disputed.money,
        reason=DISPUTED,
    )


def is_anothers(taken: Taken) -> bool:
    """Is the payment none of ours? Asked only while nobody told of it: then a donation of the same account may be it.

    Whatever the answer, while nobody knows it is taken for ours, and tried again.
    """
    if taken.refund_request_id or Payment.objects.filter(**taken.reference, amount__isnull=False).exists():
        return False
    try:
        return PaymentOwnerRequested.ask(**taken.reference).get("ours") is False
    except (GiveUp, Retry) as error:
        logger.warning(
            "Whose payment it is could not be asked.",
            extra={"provider": taken.provider, "error_class": type(error).__name__},
        )
        return False


def _tell(payment: Payment, refund: Refund, money: Money, sender: Any) -> None:
    told = {
        **payment.reference,
        "order_number": payment.order_number,
        "refund_id": refund.refund_id,
        "lms_user_id": payment.lms_user_id,
        "username": payment.username,
        "email": payment.email,
    }
    if refund.whole:
        order_refunded.send_robust(sender=sender, **told, money=payment.money, lines=payment.order_lines)
    elif refund.took_back:
        lines = tuple(line for line in payment.order_lines if line.line_number in refund.took_back)
        order_line_refunded.send_robust(sender=sender, **told, money=money, lines=lines)
    if refund.attention:
        refund_needs_attention.send_robust(
            sender=sender,
            **payment.reference,
            refund_id=refund.refund_id,
            order_number=payment.order_number,
            money=money,
            reason=refund.attention,
        )


def _revoke(payment: Payment, refund: Refund, sender: Any, asked_by: str) -> None:
    gone = set(refund.took_back) & set(payment.taken_back)
    lines = [line for line in payment.order_lines if line.line_number in gone]
    # A learner who has retired has no name that the LMS would know, and no access there.
    if not lines or not payment.username:
        return
    if still_giving(payment.order_number, asked_by=asked_by):
        raise Retry("Access to this order is still being given. It is taken back when that has ended.")
    for line in lines:
        revocation_requested.send_robust(
            sender=sender,
            order_number=payment.order_number,
            line_number=line.line_number,
            lms_user_id=payment.lms_user_id,
            username=payment.username,
            course_key=line.course_key,
            course_uuid=line.course_uuid,
            mode=line.mode,
        )
