"""Only for the demo, which has no system of record: orders read out of our own dispatches, which retention empties."""

import json
from datetime import datetime
from typing import Any

from openedx_filters import PipelineStep
from pydantic import ValidationError

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.payloads.history import MOST_ORDERS, HistoryLine, HistoryOrder
from commerce_coordinator.payloads.orders import OrderPlaced

SOURCE = "demo_lms"
ORDER_PLACED = "commerce_coordinator.plugins.fulfillment.signals.order_placed"


class OrdersFromOwnDispatches(PipelineStep):
    """Each `order_placed` about the buyer is an order, unless a step before told of it. By the index of persons."""

    def run_filter(
        self, *, lms_user_id: int | None, orders: list[HistoryOrder], gaps: list[str], **_: Any
    ) -> dict[str, Any]:
        if lms_user_id is None:
            return {}
        rows = list(
            Dispatch.objects.filter(person=str(lms_user_id), signal=ORDER_PLACED)
            .order_by("-id")
            .values_list("payload", "created_at")[: MOST_ORDERS + 1]
        )
        read = [order_of(payload, at) for payload, at in rows[:MOST_ORDERS]]
        found = [order for order in read if order is not None]
        complete = len(found) == len(rows)
        told = {order.number for order in orders}
        new = [order for order in found if order.number not in told]
        return {"orders": [*orders, *new], "gaps": gaps if complete else [*gaps, SOURCE]}


def order_of(payload: Any, placed_at: datetime) -> HistoryOrder | None:
    """The order as the history shows it; None when the payload is of another version, or was emptied."""
    try:
        placed = OrderPlaced.model_validate_json(json.dumps(payload), extra="ignore")
    except ValidationError:
        return None
    lines = [
        HistoryLine(title=line.title or line.course_key or line.course_uuid, description=line.mode)
        for line in placed.lines
    ]
    return HistoryOrder(
        number=placed.order_number, placed_at=placed_at, total=placed.money, lines=tuple(lines), source=SOURCE
    )
