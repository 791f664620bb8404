"""Who answers: the demo's question, one step for the order and one for its lines; for a sold order, the storefront."""

from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from .models import StorefrontOrder
from .purchase import PRICE

#: Product -> (title, price in US cents).
SHELF = {
    "SKU123": ("Baking", 14900),
    "SKU456": ("Brewing", 9900),
    "SKU789": ("Beekeeping", 4900),
}


class SampleOrder(PipelineStep):
    """The order itself, whatever its number is."""

    def run_filter(self, *, order_number: str, **asked: Any) -> dict[str, Any]:
        return {"order": {"order_number": order_number, "user_id": 1313, "products": list(SHELF)}}


class SampleLines(PipelineStep):
    """A line for each product that the order names, and what they cost together."""

    def run_filter(self, *, order: dict[str, Any], **asked: Any) -> dict[str, Any]:
        sold = {product: SHELF[product] for product in order["products"]}
        lines = [
            {"product": product, "title": title, "price": Money(amount=cents, currency="USD")}
            for product, (title, cents) in sold.items()
        ]
        total = Money(amount=sum(cents for _, cents in sold.values()), currency="USD")
        return {"lines": lines, "total": total}


class StorefrontOrders(PipelineStep):
    """What an order of the storefront consists of and costs. Answers nothing for orders that it did not sell."""

    def run_filter(self, *, order_number: str, details: OrderDetails | None = None, **_: Any) -> dict[str, Any]:
        if details is not None and details.owed is not None:
            return {}
        order = StorefrontOrder.objects.filter(order_number=order_number).first()
        return {} if order is None else {"details": _details(order)}


def _details(order: StorefrontOrder) -> OrderDetails:
    price = Money(amount=PRICE, currency="USD")
    lines = tuple(
        OrderLine(line_number=number, course_key=key, mode=order.mode, price=price)
        for number, key in enumerate(order.courses, start=1)
    )
    return OrderDetails(
        order_number=order.order_number,
        owed=Money(amount=PRICE * len(lines), currency="USD"),
        lines=lines,
        source="storefront",
        lms_user_id=order.lms_user_id,
        username=order.username,
        email=f"{order.username}@example.com",
    )
