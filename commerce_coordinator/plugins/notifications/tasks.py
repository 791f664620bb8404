"""E-mails. Sent after they are due, at least once: SMTP has no way to ask whether a mail went out before a crash."""

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from . import mails
from .contexts import Source
from .sending import send, the_learner, the_operators
from .texts import one_line


@delivery_task
def send_order_confirmation(
    *, order_number: str, money: Money, username: str, email: str, lines: tuple[OrderLine, ...]
) -> None:
    """Tell the learner that the order is placed."""
    values = {"order_number": order_number, "money": money, "username": username, "lines": lines}
    _send_to_learner(mails.ORDER_CONFIRMATION, order_number, email, values)


@delivery_task
def send_refund_confirmation(
    *, order_number: str, money: Money, username: str, email: str = "", lines: tuple[OrderLine, ...] = ()
) -> None:
    """Tell the learner that the money has gone back, and the access with it."""
    values = {"order_number": order_number, "money": money, "username": username, "lines": lines}
    _send_to_learner(mails.REFUND_CONFIRMATION, order_number, email, values)


@delivery_task
def tell_operator_of_refusal(
    *,
    order_number: str = "",
    line_number: int = 0,
    lms_user_id: int | None = None,
    username: str,
    course_key: str = "",
    course_uuid: str = "",
    mode: str,
    reason: str,
) -> None:
    """Tell the operator that the LMS will not let a learner in."""
    values = {
        "order_number": order_number,
        "line_number": line_number,
        "lms_user_id": lms_user_id,
        "username": username,
        "course_key": course_key,
        "course_uuid": course_uuid,
        "mode": mode,
        "reason": reason,
    }
    _tell_operator(mails.ENROLLMENT_REFUSED, order_number, values)


@delivery_task
def tell_operator_of_held_order(
    *,
    order_number: str,
    provider: str,
    account: str,
    payment_id: str,
    money: Money,
    owed: Money | None = None,
    reason: str,
    lms_user_id: int | None = None,
) -> None:
    """Tell the operator that somebody paid, and no order was placed."""
    values = {
        "order_number": order_number,
        "provider": provider,
        "account": account,
        "payment_id": payment_id,
        "money": money,
        "owed": owed,
        "reason": reason,
        "lms_user_id": lms_user_id,
    }
    _tell_operator(mails.ORDER_HELD, order_number, values)


@delivery_task
def tell_operator_of_refund(
    *,
    provider: str,
    account: str,
    payment_id: str,
    refund_id: str,
    order_number: str = "",
    money: Money,
    reason: str,
) -> None:
    """Tell the operator of a refund or a dispute that a person must look at."""
    values = {
        "provider": provider,
        "account": account,
        "payment_id": payment_id,
        "refund_id": refund_id,
        "order_number": order_number,
        "money": money,
        "reason": reason,
    }
    _tell_operator(mails.REFUND_NEEDS_ATTENTION, order_number, values)


def _send_to_learner(mail: mails.Mail, order_number: str, email: str, values: dict[str, object]) -> None:
    to = the_learner(email)
    send(mails.render(mail, values), to=to, headers=_about(order_number))


def _tell_operator(mail: mails.Mail, order_number: str, values: dict[str, object]) -> None:
    to = the_operators()
    send(mails.render(mail, {**values, "source": _source()}), to=to, headers=_about(order_number))


def _about(order_number: str) -> dict[str, str]:
    return {"X-Order-Number": one_line(order_number)} if order_number else {}


def _source() -> Source:
    """Where the signal came from that this delivery is about: one statement. Nothing outside a delivery."""
    attempt = running_attempt()
    if attempt is None:
        return Source()
    dispatch, parent = Delivery.objects.values_list("dispatch_id", "dispatch__parent_id").get(pk=attempt.delivery_id)
    return Source(dispatch=dispatch, delivery=parent)
