"""Steps that answer at once, so that an endpoint's own cost is measured and no far side's."""

from datetime import UTC, datetime
from typing import Any

from openedx_filters.filters import PipelineStep

from commerce_coordinator.payloads.history import HistoryLine, HistoryOrder
from commerce_coordinator.payloads.money import Money

ORDERS = [
    HistoryOrder(
        number=f"EDX-{number}",
        placed_at=datetime(2026, 1, 1, number % 24, tzinfo=UTC),
        total=Money(amount=14900, currency="USD"),
        lines=(HistoryLine(title="A course"),),
        source="benchmark",
    )
    for number in range(60)
]


class SixtyOrders(PipelineStep):
    def run_filter(self, orders: list[HistoryOrder], **asked: Any) -> dict[str, Any]:  # type: ignore[override]
        return {"orders": [*orders, *ORDERS]}


class Address(PipelineStep):
    """Where every redirect leads."""

    def run_filter(self, **asked: Any) -> dict[str, Any]:
        return {"redirect_url": "https://shop.example.com/", "receipt_url": "https://shop.example.com/receipt"}


class Eligible(PipelineStep):
    def run_filter(self, order_number: str, **asked: Any) -> dict[str, Any]:  # type: ignore[override]
        payment = {"provider": "benchmark", "account": "", "payment_id": f"pay-{order_number}"}
        return {"payment": payment, "money": None, "eligible": True, "already_refunded": False, "reason": ""}
