"""What follows from a payment. Both tasks only send on, so they may run as often as they like."""

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .signals import enrollment_requested, order_placed


@delivery_task(sends=[order_placed])
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
    lines: tuple[OrderLine, ...],
) -> None:
    """Turn a captured payment into a placed order."""
    order_placed.send_robust(
        sender=place_order,
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


@delivery_task(sends=[enrollment_requested])
def request_enrollments(*, order_number: str, lms_user_id: int, username: str, lines: tuple[OrderLine, ...]) -> None:
    """Ask for one enrolment per line. A try that died half-way finds what it asked for and asks for the rest."""
    for line in lines:
        enrollment_requested.send_robust(
            sender=request_enrollments,
            order_number=order_number,
            line_number=line.line_number,
            lms_user_id=lms_user_id,
            username=username,
            course_key=line.course_key,
            mode=line.mode,
        )
