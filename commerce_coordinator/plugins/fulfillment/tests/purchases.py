"""A payment of a provider that no plugin knows, and what the tests of this plugin do with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    PaymentCaptured,
    PaymentDisputed,
    PaymentRefunded,
    RefundFailed,
)

from ..signals import (
    enrollment_requested,
    entitlement_requested,
    order_held,
    order_line_refunded,
    order_placed,
    order_refunded,
    refund_needs_attention,
    revocation_requested,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TASKS = "commerce_coordinator.plugins.fulfillment.tasks"
PAYMENT = ("provider", "account", "payment_id")

paid = CoordinatorSignal(
    PaymentCaptured, subject="order_number", person="lms_user_id", unique_by=PAYMENT, name=f"{__name__}.paid"
)
repaid = CoordinatorSignal(PaymentRefunded, unique_by=(*PAYMENT, "refund_id"), name=f"{__name__}.repaid")
failed = CoordinatorSignal(RefundFailed, unique_by=(*PAYMENT, "refund_id"), name=f"{__name__}.failed")
lost = CoordinatorSignal(DisputeLost, unique_by=(*PAYMENT, "dispute_id"), name=f"{__name__}.lost")
disputed = CoordinatorSignal(PaymentDisputed, unique_by=(*PAYMENT, "dispute_id"), name=f"{__name__}.disputed")

LINES = (
    OrderLine(line_number=1, course_key="course-v1:X+C+1", mode="verified"),
    OrderLine(line_number=2, course_key="course-v1:X+A+1", mode="audit"),
    OrderLine(line_number=3, course_key="course-v1:X+B+1", mode="verified"),
)
PRICE = Money(amount=44700, currency="USD")
REFERENCE = {"provider": "any", "account": "shop", "payment_id": "pay_1"}
ORDER: dict[str, Any] = {
    **REFERENCE,
    "order_number": "EDX-1",
    "money": PRICE,
    "lms_user_id": 1313,
    "username": "ann",
    "email": "ann@example.com",
    "lines": LINES,
}
REFUND: dict[str, Any] = {**REFERENCE, "refund_id": "re_1", "money": PRICE, "refunded_at": NOON}


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


@contextmanager
def routed(**changes: list[str]) -> Iterator[None]:
    """This plugin's own routes; `changes` add receivers by the signal's last name."""
    contracts.remember(paid.name, PaymentCaptured)
    contracts.remember(repaid.name, PaymentRefunded)
    contracts.remember(failed.name, RefundFailed)
    contracts.remember(lost.name, DisputeLost)
    contracts.remember(disputed.name, PaymentDisputed)
    routes = {
        paid.name: [f"{TASKS}.place_order"],
        repaid.name: [f"{TASKS}.take_back_order"],
        failed.name: [f"{TASKS}.undo_refund"],
        lost.name: [f"{TASKS}.take_back_disputed_order"],
        disputed.name: [f"{TASKS}.note_dispute"],
        order_placed.name: [f"{TASKS}.request_enrollments"],
        **{
            signal.name: []
            for signal in (
                enrollment_requested,
                entitlement_requested,
                order_held,
                order_line_refunded,
                order_refunded,
                refund_needs_attention,
                revocation_requested,
            )
        },
    }
    for name, receivers in changes.items():
        path = next(path for path in routes if path.endswith(f".{name}"))
        routes[path] = receivers
    with routes_as(routes):
        yield


def pay(**changes: Any) -> Delivery:
    """A payment was captured; returns the delivery of `place_order`."""
    [(_, delivery)] = paid.send_robust(sender="test", captured_at=NOON, **{**ORDER, **changes})
    assert isinstance(delivery, Delivery)
    return delivery


def repay(**changes: Any) -> Delivery:
    """Money went back; returns the delivery of `take_back_order`."""
    [(_, delivery)] = repaid.send_robust(sender="test", **{**REFUND, **changes})
    assert isinstance(delivery, Delivery)
    return delivery


def refund_fails(**changes: Any) -> Delivery:
    """A refund failed, told of as done before or not; returns the delivery of `undo_refund`."""
    values = {name: value for name, value in REFUND.items() if name != "refunded_at"}
    [(_, delivery)] = failed.send_robust(sender="test", failed_at=NOON, **{**values, **changes})
    assert isinstance(delivery, Delivery)
    return delivery


def lose_dispute(**changes: Any) -> Delivery:
    """The buyer's bank took the money back; returns the delivery of `take_back_disputed_order`."""
    values = {**REFERENCE, "dispute_id": "dp_1", "money": PRICE, "lost_at": NOON}
    [(_, delivery)] = lost.send_robust(sender="test", **{**values, **changes})
    assert isinstance(delivery, Delivery)
    return delivery


def dispute(**changes: Any) -> Delivery:
    """The buyer asks his bank for the money; returns the delivery of `note_dispute`."""
    values = {**REFERENCE, "dispute_id": "dp_1", "money": PRICE, "disputed_at": NOON}
    [(_, delivery)] = disputed.send_robust(sender="test", **{**values, **changes})
    assert isinstance(delivery, Delivery)
    return delivery
