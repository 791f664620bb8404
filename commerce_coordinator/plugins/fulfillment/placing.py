"""From a captured payment to a placed order, and from its lines to the wishes for access."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.orders import OrderLine

from .checking import Checked, check_order
from .keeping import Capture, keep_capture, payments_of, still_taking_back
from .signals import enrollment_requested, entitlement_requested, order_held, order_placed


def place(capture: Capture, *, sender: Any) -> None:
    """Place the order, or hold it, or leave it where the money has gone back. Raises what `place_order` raises."""
    payment, others = payments_of(capture)
    checked = Checked()
    if payment is None or not (payment.placed_at or payment.refunded_at):
        if still_taking_back(others):
            raise Retry("The access that a refunded payment of this order gave is still being taken back.")
        try:
            checked = check_order(**vars(capture))
        except Exception:
            # A refund that comes in the meantime must find what was captured.
            keep_capture(capture, payment, others, None)
            raise
        if checked.username:
            capture = dataclasses.replace(
                capture, lms_user_id=checked.lms_user_id, username=checked.username, email=checked.email
            )
        payment = keep_capture(capture, payment, others, checked)
    if payment.refunded_at:
        return  # refunded beats captured
    if payment.held_because:
        _hold(capture, checked, payment.held_because, sender=sender)
    order_placed.send_robust(
        sender=sender,
        **capture.reference,
        order_number=capture.order_number,
        money=capture.money,
        # A try that died after writing finds the buyer there, where the payment itself names none.
        lms_user_id=capture.lms_user_id or payment.lms_user_id,
        username=capture.username or payment.username,
        email=capture.email or payment.email,
        lines=payment.order_lines,
    )


def ask_for_access(
    lines: Iterable[OrderLine], *, order_number: str, lms_user_id: int, username: str, sender: Any
) -> None:
    """One wish for each line: an enrolment in a course run, or an entitlement to a course."""
    for line in lines:
        about = {
            "sender": sender,
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


def _hold(capture: Capture, checked: Checked, reason: str, *, sender: Any) -> None:
    order_held.send_robust(
        sender=sender,
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
