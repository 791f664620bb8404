"""What fulfilment's own table of payments tells a buyer: his placed orders, and which payment his receipt is of."""

from datetime import datetime
from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.history import MOST_ORDERS, HistoryLine, HistoryOrder
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .models import Payment
from .steps import is_whose

SOURCE = "fulfillment"


class PlacedOrders(PipelineStep):
    """The buyer's orders that were placed here, but for those that a source before this one told of. One statement.

    A line whose money went back says so.
    """

    def run_filter(
        self, *, lms_user_id: int | None, orders: list[HistoryOrder], gaps: list[str], **_: Any
    ) -> dict[str, Any]:
        if lms_user_id is None:
            return {}
        placed = Payment.objects.filter(lms_user_id=lms_user_id, placed_at__isnull=False)
        rows = list(placed.order_by("-placed_at", "-pk")[: MOST_ORDERS + 1])
        told = {order.number for order in orders}
        found: dict[str, HistoryOrder] = {}
        for payment in rows[:MOST_ORDERS]:
            # Of several payments of one order, the latest.
            if payment.order_number not in told and payment.placed_at is not None:
                found.setdefault(payment.order_number, order_of(payment, payment.placed_at))
        complete = len(rows) <= MOST_ORDERS
        return {"orders": [*orders, *found.values()], "gaps": gaps if complete else [*gaps, SOURCE]}


class PaymentOfOrder(PipelineStep):
    """By which payment the order was paid, for the provider's step behind this one: a receipt is the provider's.

    Answers nothing for another learner's order; staff ask without a `username`.
    """

    def run_filter(
        self, *, order_number: str, username: str = "", lms_user_id: int | None = None, **_: Any
    ) -> dict[str, Any]:
        payments = list(Payment.objects.filter(order_number=order_number, placed_at__isnull=False).order_by("-pk"))
        payment = next((each for each in payments if each.placed_order), payments[0] if payments else None)
        if payment is None or not is_whose(payment, username=username, lms_user_id=lms_user_id):
            return {}
        return {"payment": payment.reference}


def order_of(payment: Payment, placed_at: datetime) -> HistoryOrder:
    """As the history shows it."""
    return HistoryOrder(
        number=payment.order_number,
        placed_at=placed_at,
        total=payment.money or Money(amount=0, currency=payment.currency),
        lines=tuple(_shown(line, payment.taken_back) for line in payment.order_lines),
        source=SOURCE,
    )


def _shown(line: OrderLine, taken_back: list[int]) -> HistoryLine:
    refunded = ", refunded" if line.line_number in taken_back else ""
    return HistoryLine(title=line.title or line.course_key or line.course_uuid, description=f"{line.mode}{refunded}")
