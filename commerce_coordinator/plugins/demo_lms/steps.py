"""Who answers the demo's question: one step knows the order, the next adds its lines."""

from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.payloads.money import Money

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
