"""Writing down payments and refunds: each change in one short transaction, in which nothing is asked and nothing sent.

What follows is sent afterwards, from what was written: whoever dies in between is run again, reads the same and sends
the same, and the signals' keys make one of it.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.exceptions import Retry
from commerce_coordinator.core.transactions import atomically
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .checking import PAID_TWICE, Checked
from .models import Payment, Refund
from .refunding import is_wholly_refunded, lines_gone, settle, undo
from .signals import enrollment_requested, entitlement_requested, order_placed, revocation_requested

Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Capture:
    """What the provider told of a payment."""

    provider: str
    account: str
    payment_id: str
    order_number: str
    money: Money
    lms_user_id: int | None
    username: str
    email: str
    lines: tuple[OrderLine, ...] = ()

    @property
    def reference(self) -> dict[str, str]:
        return {"provider": self.provider, "account": self.account, "payment_id": self.payment_id}


def payments_of(capture: Capture) -> tuple[Payment | None, list[Payment]]:
    """(the payment itself, if it is known; the others of its order), in one statement."""
    found = list(Payment.objects.filter(Q(**capture.reference) | Q(order_number=capture.order_number)))
    own = next((payment for payment in found if payment.reference == capture.reference), None)
    return own, [payment for payment in found if payment is not own]


def keep_capture(capture: Capture, own: Payment | None, others: list[Payment], checked: Checked | None) -> Payment:
    """Write down that the money is there and what became of it. `checked`: None while that is not known.

    Raises Retry when another wrote of the same payment or order at the same moment.
    """

    def write() -> Payment:
        payment = own and Payment.objects.select_for_update().get(pk=own.pk)
        refunds = list(payment.refunds.all()) if payment else []
        payment = payment or Payment(**capture.reference)
        if payment.placed_at or payment.refunded_at:
            return payment
        _note(payment, capture)
        if is_wholly_refunded(payment, refunds):
            payment.refunded_at = timezone.now()
        elif checked:
            _decide(payment, checked, others)
            # Of a refund that was decided before the lines were known, the line is known now.
            payment.taken_back = sorted(lines_gone(payment, (each for each in refunds if each.settled_at)))
        payment.save()
        return payment

    return _once(write)


def keep_refund(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    refund_request_id: str,
    money: Money,
    refunded_at: datetime,
    is_dispute: bool = False,
    counts: bool = True,
) -> Refund:
    """Write down a refund, once, and what follows from it as soon as the capture is known.

    Raises Retry when another wrote of the same payment at the same moment.
    """

    def write() -> Refund:
        payment, refunds = _locked(provider, account, payment_id)
        refund = next((each for each in refunds if each.refund_id == refund_id), None)
        if refund is None:
            refund = Refund(
                refund_id=refund_id,
                refund_request_id=refund_request_id,
                amount=money.amount,
                currency=money.currency,
                refunded_at=refunded_at,
                is_dispute=is_dispute,
                counts=counts,
            )
            refunds.append(refund)
        refund.payment = payment
        # A part may be one line's, and the lines are known only when it is decided what becomes of the payment.
        decided = payment.placed_at or payment.held_at or is_wholly_refunded(payment, refunds)
        if payment.amount is not None and decided and refund.settled_at is None:
            settle(payment, refund, refunds)
            payment.save()
        refund.save()
        return refund

    return _once(write)


def keep_failure(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    refund_request_id: str,
    money: Money,
    failed_at: datetime,
) -> Refund:
    """Write down that a refund failed, once, and what of its payment stands again.

    Raises Retry when another wrote of the same payment at the same moment.
    """

    def write() -> Refund:
        payment, refunds = _locked(provider, account, payment_id)
        refund = next((each for each in refunds if each.refund_id == refund_id), None)
        if refund is None:
            refund = Refund(
                refund_id=refund_id,
                refund_request_id=refund_request_id,
                amount=money.amount,
                currency=money.currency,
            )
            refunds.append(refund)
        refund.payment = payment
        if refund.failed_at is None:
            refund.failed_at = failed_at
            # What would follow from its success follows no more.
            refund.settled_at = refund.settled_at or timezone.now()
            if payment.amount is not None:
                others = Payment.objects.filter(placed_order=payment.order_number).exclude(pk=payment.pk)
                undo(payment, refund, refunds, order_is_free=not others.exists())
                payment.save()
            refund.save()
        return refund

    return _once(write)


def _locked(provider: str, account: str, payment_id: str) -> tuple[Payment, list[Refund]]:
    """The payment's row, made if nobody told of it yet, and all its refunds."""
    reference = {"provider": provider, "account": account, "payment_id": payment_id}
    payment = Payment.objects.select_for_update().filter(**reference).first() or Payment.objects.create(**reference)
    return payment, list(payment.refunds.all())


def still_taking_back(others: list[Payment]) -> bool:
    """Is access that an earlier payment of the order gave just being taken back?"""
    undone = [payment for payment in others if payment.taken_back]
    return bool(undone) and are_revoking(undone)


def are_revoking(payments: list[Payment]) -> bool:
    """Is access that these payments of one order gave being taken back at this moment?"""
    if Refund.objects.filter(payment__in=payments, sent_at=None, refunded_at__isnull=False).exists():
        return True
    return _open_deliveries(payments[0].order_number).filter(dispatch__signal=revocation_requested.name).exists()


def still_giving(order_number: str, *, asked_by: str) -> bool:
    """Is access to what was ordered just being given, or asked for by the receiver `asked_by`?

    An enrolment that is tried again after its revocation would stand for ever.
    """
    asking = Q(dispatch__signal=order_placed.name, receiver=asked_by)
    giving = Q(dispatch__signal__in=(enrollment_requested.name, entitlement_requested.name))
    return _open_deliveries(order_number).filter(asking | giving).exists()


def _open_deliveries(order_number: str) -> "QuerySet[Delivery]":
    return Delivery.objects.filter(
        dispatch__subject=order_number, state__in=(Delivery.State.PENDING, Delivery.State.RUNNING)
    )


def _note(payment: Payment, capture: Capture) -> None:
    payment.order_number = capture.order_number
    payment.amount, payment.currency = capture.money.amount, capture.money.currency
    payment.lms_user_id, payment.username, payment.email = capture.lms_user_id, capture.username, capture.email
    payment.named_lines = [line.model_dump(mode="json") for line in capture.lines]


def _decide(payment: Payment, checked: Checked, others: list[Payment]) -> None:
    paid_twice = PAID_TWICE if any(other.placed_order for other in others) else ""
    payment.held_because = paid_twice or checked.held_because
    if payment.held_because:
        payment.held_at = timezone.now()
        return
    payment.held_at = None
    payment.placed_at, payment.placed_order = timezone.now(), payment.order_number
    payment.keep_lines(checked.lines)


def _once(write: Callable[[], Result]) -> Result:
    try:
        return atomically(write)
    except IntegrityError:
        raise Retry("Another delivery wrote of this payment or its order at the same moment.") from None
