"""What all builders read alike: the event's object, texts, ids, codes, amounts and times."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.plugins.stripe.currencies import from_units

OBJECT = "data.object."

_CODE = re.compile(r"[A-Za-z0-9_\-]{1,64}")


def object_of(event: ProviderEvent) -> Mapping[str, Any]:
    """The object that the event tells of, if it is of this service's mode."""
    # A production endpoint can receive test events, with Connect for one: true, but nobody paid.
    expected = settings.CC_STRIPE_LIVEMODE
    if expected is not None and event.data.get("livemode") is not expected:
        raise EventIgnored("Not ours: livemode is another than this service's.")
    data = event.data.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise EventNotUnderstood("data.object is missing or no object.")
    return found


def metadata_of(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata, or none: an object without any has null, or an empty object."""
    metadata = found.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def ours(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata, if the payment is ours: one Stripe account also carries donations and invoices."""
    metadata = metadata_of(found)
    if metadata.get("source_system") != settings.CC_SOURCE_SYSTEM:
        raise EventIgnored("Not ours: metadata.source_system is another.")
    return metadata


def not_of_another(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of what need not say whose it is, a refund say, unless it says that it is another's."""
    metadata = metadata_of(found)
    if metadata.get("source_system", settings.CC_SOURCE_SYSTEM) != settings.CC_SOURCE_SYSTEM:
        raise EventIgnored("Not ours: metadata.source_system is another.")
    return metadata


def text(found: Mapping[str, Any], name: str, *, where: str = OBJECT) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise EventNotUnderstood(f"{where}{name} is missing or empty.")
    # Half a surrogate pair, which JSON allows, can be stored nowhere; a line break has no business in a reference.
    if not value.strip().isprintable():
        raise EventNotUnderstood(f"{where}{name} holds characters that cannot be printed.")
    return value.strip()


def text_or_none(found: Mapping[str, Any], name: str, *, where: str = OBJECT) -> str:
    """As `text`; "" for what is missing, null or empty."""
    return "" if found.get(name) in (None, "") else text(found, name, where=where)


def whole_number(found: Mapping[str, Any], name: str, *, where: str) -> int:
    digits = text(found, name, where=where)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise EventNotUnderstood(f"{where}{name} is no whole number.")
    return int(digits)


def id_of(found: Mapping[str, Any], name: str, *, where: str = OBJECT) -> str:
    """The id of another object, which Stripe gives as a text, or expanded to the object itself; "" for null."""
    value = found.get(name)
    if isinstance(value, dict):
        return text(value, "id", where=f"{where}{name}.")
    return text_or_none(found, name, where=where)


def payment_of(found: Mapping[str, Any], *, where: str = OBJECT) -> str:
    """The id of the PaymentIntent behind a charge, a refund or a dispute."""
    payment_id = id_of(found, "payment_intent", where=where)
    if not payment_id:
        raise EventIgnored(f"Not ours: {where}payment_intent is empty, and our payments have one.")
    return payment_id


def code(value: Any) -> str:
    """A code of Stripe's, or "": its messages are made for people, and may quote them."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""


def money(found: Mapping[str, Any], name: str, *, where: str = OBJECT) -> Money:
    currency = text(found, "currency", where=where).upper()
    try:
        amount = from_units(found.get(name), currency)  # type: ignore[arg-type]
    except ValueError:
        raise EventNotUnderstood(f"{where}{name} and currency make no amount of money.") from None
    if amount.amount < 0:
        raise EventNotUnderstood(f"{where}{name} is negative.")
    return amount


def time(found: Mapping[str, Any], name: str, *, where: str = "") -> datetime:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise EventNotUnderstood(f"{where}{name} is no Unix time.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise EventNotUnderstood(f"{where}{name} is no Unix time.") from None
