"""Two systems of record. `STOCK` says what each has: orders, or what its step raises; `ASKED` who was asked for."""

from datetime import UTC, datetime
from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.history import HistoryLine, HistoryOrder
from commerce_coordinator.payloads.money import Money

STOCK: dict[str, Any] = {}
ASKED: list[tuple[str, str, int | None]] = []

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def order(
    number: str, *, at: datetime = NOON, source: str = "first", amount: int = 14900, currency: str = "EUR"
) -> Any:
    return HistoryOrder(
        number=number,
        placed_at=at,
        total=Money(amount=amount, currency=currency),
        lines=(HistoryLine(title=f"Seat of {number}", description="verified"),),
        source=source,
    )


class _Source(PipelineStep):
    name = ""

    def run_filter(self, *, username: str, lms_user_id: int | None, orders: Any, gaps: Any, **_: Any) -> Any:
        ASKED.append((self.name, username, lms_user_id))
        stock = STOCK.get(self.name, {})
        if isinstance(stock, Exception):
            raise stock
        if stock == "away":
            return {"gaps": [*gaps, self.name]}
        return {"orders": [*orders, *stock.get(username, [])]}


class First(_Source):
    name = "first"


class Second(_Source):
    name = "second"


class Receipts(PipelineStep):
    def run_filter(self, *, order_number: str, username: str, lms_user_id: int | None, **_: Any) -> Any:
        ASKED.append(("receipts", username, lms_user_id))
        stock = STOCK.get("receipts", {})
        if isinstance(stock, Exception):
            raise stock
        return {"receipt_url": stock[order_number]} if order_number in stock else {}
