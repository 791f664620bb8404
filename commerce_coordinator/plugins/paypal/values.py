"""Single values out of PayPal's JSON: texts, amounts, times. Raises EventNotUnderstood; reasons name fields.

Two versions of its API are read: amounts are {"currency_code", "value"} or, in version 1, {"currency", "total"}.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from commerce_coordinator.core.exceptions import EventNotUnderstood
from commerce_coordinator.payloads.money import Money, iso_exponent

#: Where PayPal takes no decimals though ISO 4217 has two (source: PayPal's list of currency codes).
PAYPAL_EXPONENTS = {"HUF": 0, "TWD": 0, "JPY": 0}

_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def exponent_of(currency: str) -> int:
    """How many decimal places PayPal writes for this currency."""
    return PAYPAL_EXPONENTS.get(currency, iso_exponent(currency))


def is_reference(value: object) -> bool:
    """PayPal's own names are printable ASCII; what is not, half a surrogate pair say, could not even be stored."""
    return isinstance(value, str) and value.isascii() and value.isprintable() and bool(value)


def child(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under this name; empty if there is none."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def items(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects in the list under this name; what is no object is left out."""
    value = found.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def reference(found: Mapping[str, Any], name: str, *, where: str = "resource.") -> str:
    """An id of PayPal's."""
    value = found.get(name)
    if not isinstance(value, str) or not is_reference(value) or " " in value or len(value) > 127:
        raise EventNotUnderstood(f"{where}{name} is missing or no id.")
    return value


def text(found: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds something; "" if none does."""
    for name in names:
        value = found.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or not value.strip().isprintable():
            raise EventNotUnderstood(f"resource.{name} is no text that can be printed.")
        if value.strip():
            return value.strip()
    return ""


def code(*values: object) -> str:
    """The first that looks like a code of PayPal's; "" if none does. Never a sentence."""
    return next((each for each in values if isinstance(each, str) and _CODE.fullmatch(each)), "")


def money(found: Mapping[str, Any], name: str, *, where: str = "resource.", signed: bool = False) -> Money:
    """An amount: decimal text and currency, exact. `signed`: version 1 writes what went back with a minus."""
    amount, field = child(found, name), f"{where}{name}"
    currency = amount.get("currency_code", amount.get("currency"))
    value = amount.get("value", amount.get("total"))
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise EventNotUnderstood(f"{field} has no currency code of three capital letters.")
    if signed and isinstance(value, str) and "total" in amount:
        value = value.removeprefix("-")
    written = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if written is None:
        raise EventNotUnderstood(f"{field} is no decimal amount of zero or more.")
    places, whole, fraction = exponent_of(currency), written[1], written[2] or ""
    if len(fraction) > places:
        raise EventNotUnderstood(f"{field} has more decimal places than its currency.")
    try:
        return Money.from_provider_units(int(whole + fraction.ljust(places, "0")), currency, exponent=places)
    except ValueError:
        raise EventNotUnderstood(f"{field} is out of range.") from None


def moment(*places: tuple[Mapping[str, Any], str]) -> datetime:
    """The first of these times that is there (RFC 3339), in UTC."""
    for found, name in places:
        value = found.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise EventNotUnderstood(f"{name} is no RFC 3339 time.")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise EventNotUnderstood(f"{name} is no RFC 3339 time.") from None
    raise EventNotUnderstood(f"{places[-1][1]} is missing.")
