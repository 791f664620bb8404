"""What orders cost, by the campus's own price list: the system of record."""

import json
import os
from pathlib import Path
from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine


class PriceList(PipelineStep):
    """Reads the file that CAMPUS_PRICES names: order number -> US cents. Answers nothing for other orders."""

    def run_filter(self, *, order_number: str, lines: tuple[OrderLine, ...], **_: Any) -> dict[str, Any]:
        price = json.loads(Path(os.environ["CAMPUS_PRICES"]).read_text()).get(order_number)
        if price is None:
            return {}
        owed = Money(amount=price, currency="USD")
        return {"details": OrderDetails(order_number=order_number, owed=owed, lines=lines, source="price list")}
