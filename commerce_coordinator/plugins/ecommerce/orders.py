"""The legacy shop's orders in our words: pure functions.

Keys by ecommerce/extensions/api/serializers.py (OrderSerializer, LineSerializer, ProductSerializer), modes by
mode_for_product in ecommerce/courses/utils.py, of openedx/ecommerce on GitHub.
"""

import json
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.payloads.history import HistoryOrder
from commerce_coordinator.payloads.money import LARGEST_AMOUNT, Money, iso_exponent
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

SOURCE = "ecommerce"

#: What gives access: the name of a product's class, and the attribute that says to what.
ACCESS = {"Seat": ("course_key", "course_key"), "Course Entitlement": ("course_uuid", "UUID")}


class NotUnderstood(ValueError):
    """The shop's order lacks something, or has it in another form. Names keys, never values."""


def history_order(order: dict[str, Any]) -> HistoryOrder:
    """The order as the history shows it. Raises NotUnderstood."""
    try:
        return HistoryOrder.model_validate_json(_as_json(order))
    except ValidationError as error:
        keys = sorted({str(each["loc"][0]) for each in error.errors(include_input=False) if each["loc"]})
        raise NotUnderstood(f"An order of the legacy shop is not valid in: {', '.join(keys)}.") from None


def _as_json(order: dict[str, Any]) -> str:
    """Unchecked values under our names, for the contract to check."""
    lines = order.get("lines")
    shown = [
        {
            "title": line.get("title") or "",
            "quantity": line.get("quantity", 1),
            "description": line.get("description") or "",
        }
        for line in (lines if isinstance(lines, list) else [])
        if isinstance(line, dict)
    ]
    values = {
        "number": order.get("number"),
        "placed_at": order.get("date_placed"),
        "total": money_of(order).model_dump(),
        "lines": shown,
        "source": SOURCE,
    }
    return json.dumps(values)


def money_of(order: dict[str, Any]) -> Money:
    """What the order cost. The shop counts no tax, so its total without is the whole. Raises NotUnderstood."""
    return _money(order.get("total_excl_tax"), str(order.get("currency")))


def _money(total: Any, currency: str) -> Money:
    try:
        shifted = Decimal(str(total)).scaleb(iso_exponent(currency))
        if not shifted.is_finite() or abs(shifted) > LARGEST_AMOUNT or shifted != shifted.to_integral_value():
            raise NotUnderstood("An order of the legacy shop has a total that is no amount of its currency.")
        return Money(amount=int(shifted), currency=currency)
    except (ArithmeticError, ValidationError):
        raise NotUnderstood("An order of the legacy shop has a total or a currency that is none.") from None


def order_details(order: dict[str, Any]) -> OrderDetails:
    """What was ordered and what it costs. Raises GiveUp for an order with something that gives no access to a course.

    Such an order (a donation, codes for others) is the shop's own to fulfil: somebody must look.
    """
    try:
        currency = str(order.get("currency"))
        lines = tuple(_line(number, each, currency) for number, each in enumerate(order["lines"], start=1))
        return OrderDetails(order_number=order["number"], owed=money_of(order), lines=lines, source=SOURCE)
    except (NotUnderstood, ValidationError, LookupError, TypeError, AttributeError) as error:
        raise GiveUp(
            f"The legacy shop's order has lines or a total that give no course and no price ({type(error).__name__})."
        ) from None


def _line(number: int, line: dict[str, Any], currency: str) -> OrderLine:
    product = line["product"]
    field, attribute = ACCESS[product["product_class"]]
    attributes = attributes_of(product)
    access = str(attributes[attribute])
    return OrderLine(
        line_number=number,
        course_key=access if field == "course_key" else "",
        course_uuid=access if field == "course_uuid" else "",
        mode=mode_of(attributes),
        title=line.get("title") or "",
        credit_provider=str(attributes.get("credit_provider") or ""),
        price=_price(line, currency),
    )


def _price(line: dict[str, Any], currency: str) -> Money | None:
    """Of the line, after its discounts; None where the shop does not tell. Raises NotUnderstood."""
    price = line.get("line_price_excl_tax")
    return None if price is None else _money(price, currency)


def mode_of(attributes: dict[str, Any]) -> str:
    certificate = str(attributes.get("certificate_type") or "")
    if not certificate:
        return "audit"
    if certificate == "professional" and not attributes.get("id_verification_required"):
        return "no-id-professional"
    return certificate


def attributes_of(product: dict[str, Any]) -> dict[str, Any]:
    """By code. An attribute that the product lacks is not in the shop's list."""
    found = product.get("attribute_values")
    return {str(each.get("code") or each.get("name")): each.get("value") for each in found or ()}


def has_redeemed(order: dict[str, Any], *, sku: str, code: str) -> bool:
    """Is this the order that the code made for this SKU? The shop keeps codes in capitals."""
    codes = {str(each.get("code", "")).upper() for each in order.get("vouchers") or () if isinstance(each, dict)}
    return code.upper() in codes and sku in _skus(order)


def _skus(order: dict[str, Any]) -> set[str]:
    products = [line.get("product") for line in order.get("lines") or () if isinstance(line, dict)]
    records = [each for product in products if isinstance(product, dict) for each in product.get("stockrecords") or ()]
    return {str(each.get("partner_sku")) for each in records if isinstance(each, dict)}
