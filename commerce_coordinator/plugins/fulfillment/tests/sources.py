"""A system of record for the tests: it knows the orders it was told of, and may be away."""

import copy
from typing import Any, ClassVar

from openedx_filters import PipelineStep

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from ..filters import OrderDetailsRequested
from .purchases import LINES, PRICE


class Shop:
    """What the shop knows, and how often it was asked."""

    current: ClassVar["Shop"]

    def __init__(self) -> None:
        self.orders: dict[str, OrderDetails] = {}
        self.away = False
        self.refuses = False
        self.asked: list[dict[str, Any]] = []

    def knows(
        self, order_number: str = "EDX-1", *, owed: Money | None = PRICE, lines: tuple[OrderLine, ...] = LINES
    ) -> None:
        self.orders[order_number] = OrderDetails(order_number=order_number, owed=owed, lines=lines, source="shop")


class AskShop(PipelineStep):
    def run_filter(self, **asked: Any) -> dict[str, Any]:
        Shop.current.asked.append(asked)
        if Shop.current.away:
            raise Retry("The shop is away.")
        if Shop.current.refuses:
            raise GiveUp("The shop answered 400.")
        found = Shop.current.orders.get(asked["order_number"])
        return {"details": found} if found else {}


def ask_shop_too(settings: Any) -> Shop:
    Shop.current = Shop()
    configured = copy.deepcopy(settings.OPEN_EDX_FILTERS_CONFIG)
    configured[OrderDetailsRequested.filter_type]["pipeline"].append(f"{__name__}.AskShop")
    settings.OPEN_EDX_FILTERS_CONFIG = configured
    return Shop.current
