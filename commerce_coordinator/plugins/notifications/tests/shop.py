"""Facts of any shop, by the shared contracts: this plugin knows none of those who send them."""

from datetime import UTC, datetime
from typing import Any

from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.enrollments import EnrollmentRefused
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderHeld, OrderLine, OrderPlaced
from commerce_coordinator.payloads.payments import OrderRefunded, RefundNeedsAttention

TASKS = f"{__package__.rpartition('.')[0]}.tasks"
ADDRESS = "ann@example.com"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

placed = CoordinatorSignal(OrderPlaced, subject="order_number", name=f"{__name__}.placed")
refunded = CoordinatorSignal(OrderRefunded, subject="order_number", name=f"{__name__}.refunded")
refused = CoordinatorSignal(EnrollmentRefused, subject="order_number", name=f"{__name__}.refused")
held = CoordinatorSignal(OrderHeld, subject="order_number", name=f"{__name__}.held")
doubtful = CoordinatorSignal(RefundNeedsAttention, subject="order_number", name=f"{__name__}.doubtful")

#: Which task gets which, as the routes in settings say it of the shipped signals.
ROUTES = {
    placed.name: [f"{TASKS}.send_order_confirmation"],
    refunded.name: [f"{TASKS}.send_refund_confirmation"],
    refused.name: [f"{TASKS}.tell_operator_of_refusal"],
    held.name: [f"{TASKS}.tell_operator_of_held_order"],
    doubtful.name: [f"{TASKS}.tell_operator_of_refund"],
}

_PAYMENT: dict[str, Any] = {
    "order_number": "EDX-1",
    "provider": "any",
    "account": "eu",
    "payment_id": "pay_1",
    "money": Money(amount=44700, currency="USD"),
}
_LEARNER: dict[str, Any] = {"lms_user_id": 1313, "username": "ann"}
LINES = (
    OrderLine(line_number=1, course_key="course-v1:X+A+1", mode="verified"),
    OrderLine(line_number=2, course_key="course-v1:X+B+1", mode="audit"),
)
VALUES: dict[str, dict[str, Any]] = {
    placed.name: {**_PAYMENT, **_LEARNER, "email": ADDRESS, "lines": LINES},
    refunded.name: {**_PAYMENT, **_LEARNER, "email": ADDRESS, "lines": LINES, "refund_id": "re_1"},
    refused.name: {
        **_LEARNER,
        "order_number": "EDX-1",
        "line_number": 2,
        "course_key": "course-v1:X+B+1",
        "mode": "audit",
        "reason": f"Enrolment of ann ({ADDRESS}) is closed.",
    },
    held.name: {
        **_PAYMENT,
        "owed": Money(amount=44800, currency="USD"),
        "reason": "The amount received is not the price owed.",
        "lms_user_id": 1313,
    },
    doubtful.name: {**_PAYMENT, "refund_id": "re_1", "reason": "A part went back, and no line is named."},
}
