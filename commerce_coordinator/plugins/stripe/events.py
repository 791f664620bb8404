"""From Stripe's objects to our payloads. Pure functions: an event in, values out, or a reason why not.

Whatever JSON comes, a builder returns values, or raises EventIgnored or EventNotUnderstood. Reasons name fields.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.payloads.money import Money, iso_exponent

#: How Stripe counts where it differs from ISO 4217 (source: Stripe's documentation of currencies): ISK and UGX are
#: written with two decimals for old times' sake; MGA, which is divided by five, has none.
STRIPE_EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def payment_captured_from_payment_intent(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from `payment_intent.succeeded`."""
    _check_mode(event)
    intent = _object(event)
    metadata = _ours(intent)
    return {
        "provider": "stripe",
        "account": account,
        "payment_id": _text(intent, "id"),
        "order_number": _text(metadata, "order_number", where="metadata."),
        "money": _money(intent, "amount_received"),
        "captured_at": _time(event.data, "created"),
        "lms_user_id": _whole_number(metadata, "lms_user_id", where="metadata."),
        "username": _text(metadata, "username", where="metadata."),
        "email": _text(metadata, "email", where="metadata."),
        "lines": _lines(metadata),
    }


def _object(event: ProviderEvent) -> Mapping[str, Any]:
    data = event.data.get("data")
    found = data.get("object") if isinstance(data, dict) else None
    if not isinstance(found, dict):
        raise EventNotUnderstood("data.object is missing or no object.")
    return found


def _check_mode(event: ProviderEvent) -> None:
    """A production endpoint can receive test events, with Connect for one: true, but nobody paid."""
    expected = settings.CC_STRIPE_LIVEMODE
    if expected is not None and event.data.get("livemode") is not expected:
        raise EventIgnored("Not ours: livemode is another than this service's.")


def _ours(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata, if the payment is ours: one Stripe account also carries donations and invoices."""
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("source_system") != settings.CC_SOURCE_SYSTEM:
        raise EventIgnored("Not ours: metadata.source_system is another.")
    return metadata


def _text(found: Mapping[str, Any], name: str, *, where: str = "data.object.") -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise EventNotUnderstood(f"{where}{name} is missing or empty.")
    # Half a surrogate pair, which JSON allows, can be stored nowhere; a line break has no business in a reference.
    if not value.strip().isprintable():
        raise EventNotUnderstood(f"{where}{name} holds characters that cannot be printed.")
    return value.strip()


def _whole_number(found: Mapping[str, Any], name: str, *, where: str) -> int:
    text = _text(found, name, where=where)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise EventNotUnderstood(f"{where}{name} is no whole number.")
    return int(text)


def _money(intent: Mapping[str, Any], name: str) -> Money:
    currency = _text(intent, "currency").upper()
    try:
        exponent = STRIPE_EXPONENTS.get(currency, iso_exponent(currency))
        money = Money.from_provider_units(intent.get(name), currency, exponent=exponent)  # type: ignore[arg-type]
    except ValueError:
        raise EventNotUnderstood(f"data.object.{name} and currency make no amount of money.") from None
    if money.amount < 0:
        raise EventNotUnderstood(f"data.object.{name} is negative.")
    return money


def _time(found: Mapping[str, Any], name: str) -> datetime:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise EventNotUnderstood(f"{name} is no Unix time.")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise EventNotUnderstood(f"{name} is no Unix time.") from None


def _lines(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`course_keys` and `modes`: comma-separated, in the same order. A UUID among the keys is an entitlement's course.

    Neither of them is right too: long orders do not fit into 500 characters, and come from the system of record.
    """
    if "course_keys" not in metadata and "modes" not in metadata:
        return []
    keys, modes = _list(metadata, "course_keys"), _list(metadata, "modes")
    if len(keys) != len(modes):
        raise EventNotUnderstood("metadata.course_keys and metadata.modes differ in length.")
    return [
        {"line_number": number, **_course(key), "mode": mode}
        for number, (key, mode) in enumerate(zip(keys, modes, strict=True), start=1)
    ]


def _list(metadata: Mapping[str, Any], name: str) -> list[str]:
    parts = [part.strip() for part in _text(metadata, name, where="metadata.").split(",")]
    if "" in parts:
        raise EventNotUnderstood(f"metadata.{name} has nothing at place {parts.index('') + 1}: a comma too many.")
    return parts


def _course(key: str) -> dict[str, str]:
    """A course run's key is never a UUID: it holds a colon or a slash (edx opaque keys)."""
    return {"course_uuid": key.lower()} if UUID.match(key) else {"course_key": key}
