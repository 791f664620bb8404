"""A buyer's orders, as the systems of record tell of them for his order history."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from .base import Payload
from .money import Money
from .orders import OrderNumber

#: The most orders that one source gives of one buyer: the newest. One that has more says so by a gap.
MOST_ORDERS = 500


class HistoryLine(Payload):
    """One thing on an order, in words for the buyer."""

    title: str
    quantity: Annotated[int, Field(ge=1)] = 1
    description: str = ""


class HistoryOrder(Payload):
    """One order of a buyer. `total`: without tax. `source`: the system of record that told of it."""

    number: OrderNumber
    placed_at: AwareDatetime
    total: Money
    lines: tuple[HistoryLine, ...] = ()
    source: str

    @property
    def currency(self) -> str:
        return self.total.currency
