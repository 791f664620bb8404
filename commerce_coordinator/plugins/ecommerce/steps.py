"""What the legacy shop knows, for whoever asks. Without a shop these steps answer nothing."""

import logging
from typing import Any
from urllib.parse import quote

from django.conf import settings
from openedx_filters import PipelineStep

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.history import MOST_ORDERS, HistoryOrder
from commerce_coordinator.payloads.orders import OrderDetails

from . import resting
from .client import legacy_shop, owner_of
from .orders import SOURCE, NotUnderstood, history_order, order_details

logger = logging.getLogger(__name__)

#: The shop's page for a buyer: the default of `receipt_page` in the LMS's CommerceConfiguration (edx-platform).
RECEIPT_PAGE = "checkout/receipt/?order_number="


class LegacyOrders(PipelineStep):
    """The buyer's orders at the legacy shop. One that is away, refuses or answers nonsense is a gap."""

    def run_filter(self, *, username: str, orders: list[HistoryOrder], gaps: list[str], **_: Any) -> dict[str, Any]:
        shop = legacy_shop()
        if shop is None or not username:
            return {}
        if resting.lasts():
            return {"gaps": [*gaps, SOURCE]}
        try:
            found, complete = shop.orders_of(username, most=MOST_ORDERS)
        except (Retry, GiveUp) as error:
            if isinstance(error, Retry):
                resting.begin(error.after)
            logger.warning("The legacy shop gave no orders.", extra={"error_class": type(error).__name__})
            return {"gaps": [*gaps, SOURCE]}
        understood = [each for each in map(_understood, found) if each is not None]
        complete = complete and len(understood) == len(found)
        return {"orders": [*orders, *understood], "gaps": gaps if complete else [*gaps, SOURCE]}


class LegacyOrderDetails(PipelineStep):
    """The order's lines and price, where the legacy shop has the order: it is the system of record of its orders.

    Raises Retry while the shop is away: an order must not pass unchecked for that. Raises GiveUp for an order of which
    the shop cannot say which courses it is for.
    """

    def run_filter(self, *, order_number: str, details: OrderDetails | None = None, **_: Any) -> dict[str, Any]:
        shop = legacy_shop()
        if shop is None or (details is not None and details.owed is not None):
            return {}
        order = shop.order(order_number)
        return {} if order is None else {"details": order_details(order)}


class LegacyReceipt(PipelineStep):
    """The shop's page of the order, if the shop has it and it is the buyer's. Staff ask without a `username`."""

    def run_filter(
        self, *, order_number: str, username: str, receipt_url: str | None = None, **_: Any
    ) -> dict[str, Any]:
        shop = legacy_shop()
        if shop is None or receipt_url:
            return {}
        order = shop.order(order_number)
        if order is None or (username and owner_of(order) != username):
            return {}
        root = settings.CC_ECOMMERCE_PUBLIC_URL_ROOT or settings.CC_ECOMMERCE_URL_ROOT
        return {"receipt_url": f"{root.rstrip('/')}/{RECEIPT_PAGE}{quote(order_number, safe='')}"}


def _understood(order: dict[str, Any]) -> HistoryOrder | None:
    try:
        return history_order(order)
    except NotUnderstood as error:
        logger.warning("An order of the legacy shop is not understood.", extra={"reason": str(error)})
        return None
