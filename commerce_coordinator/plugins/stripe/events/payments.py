"""Payments: PaymentIntents, and Checkout Sessions, which are paid by one. The same payment id: they take effect once.

A Session's `amount_total` and its PaymentIntent's `amount_received` are the same sum, so it is no matter which comes
first. `amount_received` it is, not `amount`: that is what was asked for.
"""

import re
from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood
from commerce_coordinator.core.inbox.webhooks import ProviderEvent

from .reading import code, id_of, money, object_of, ours, text, time, whole_number

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)

METADATA = "metadata."

#: A Checkout Session's payment_status that lets us fulfil (source: Stripe's guide to fulfilling orders).
PAID = frozenset({"paid", "no_payment_required"})


# --- PaymentIntents ---


def payment_captured_from_payment_intent(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from `payment_intent.succeeded`."""
    intent = object_of(event)
    metadata = ours(intent)
    return _captured(event, account, metadata, payment_id=text(intent, "id"), money=money(intent, "amount_received"))


def payment_failed_from_payment_intent(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_failed` from `payment_intent.payment_failed`: the buyer may try again."""
    intent = object_of(event)
    metadata = ours(intent)
    error = intent.get("last_payment_error")
    error = error if isinstance(error, dict) else {}
    reason = code(error.get("decline_code")) or code(error.get("code"))
    return _failed(event, account, metadata, payment_id=text(intent, "id"), final=False, reason=reason)


def payment_failed_from_cancellation(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_failed` from `payment_intent.canceled`: nobody can pay by it any more."""
    intent = object_of(event)
    metadata = ours(intent)
    reason = code(intent.get("cancellation_reason"))
    return _failed(event, account, metadata, payment_id=text(intent, "id"), final=True, reason=reason)


# --- Checkout Sessions ---


def payment_captured_from_completed_session(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from `checkout.session.completed`, if the Session is paid by then."""
    session, metadata = _session_of(event)
    status = text(session, "payment_status")
    if status == "unpaid":
        raise EventIgnored("Not paid yet: the asynchronous method decides later, and an event of its own tells of it.")
    return _captured_from(session, event, account, metadata, status)


def payment_captured_from_late_session(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_captured` from `checkout.session.async_payment_succeeded`."""
    session, metadata = _session_of(event)
    return _captured_from(session, event, account, metadata, text(session, "payment_status"))


def payment_failed_from_session(event: ProviderEvent, account: str) -> dict[str, Any]:
    """The values of `payment_failed` from `checkout.session.async_payment_failed`: a Session is completed only once."""
    session, metadata = _session_of(event)
    return _failed(event, account, metadata, payment_id=_payment_of_session(session), final=True, reason="")


def _session_of(event: ProviderEvent) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    session = object_of(event)
    metadata = ours(session)
    if text(session, "mode") != "payment":
        raise EventIgnored("No payment: data.object.mode is another, a subscription's or that of a set-up.")
    return session, metadata


def _captured_from(
    session: Mapping[str, Any], event: ProviderEvent, account: str, metadata: Mapping[str, Any], status: str
) -> dict[str, Any]:
    if status not in PAID:
        raise EventNotUnderstood("data.object.payment_status is none that says whether it is paid.")
    payment_id = _payment_of_session(session)
    return _captured(event, account, metadata, payment_id=payment_id, money=money(session, "amount_total"))


def _payment_of_session(session: Mapping[str, Any]) -> str:
    """The PaymentIntent's id; the Session's own where nothing was to be paid, which takes no PaymentIntent."""
    return id_of(session, "payment_intent") or text(session, "id")


# --- What they have in common ---


def _captured(event: ProviderEvent, account: str, metadata: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "provider": "stripe",
        "account": account,
        **values,
        "order_number": text(metadata, "order_number", where=METADATA),
        "captured_at": time(event.data, "created"),
        "lms_user_id": whole_number(metadata, "lms_user_id", where=METADATA),
        "username": text(metadata, "username", where=METADATA),
        "email": text(metadata, "email", where=METADATA),
        "lines": _lines(metadata),
    }


def _failed(event: ProviderEvent, account: str, metadata: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "provider": "stripe",
        "account": account,
        **values,
        "order_number": text(metadata, "order_number", where=METADATA),
        "failed_at": time(event.data, "created"),
        "lms_user_id": whole_number(metadata, "lms_user_id", where=METADATA) if "lms_user_id" in metadata else None,
    }


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
    parts = [part.strip() for part in text(metadata, name, where=METADATA).split(",")]
    if "" in parts:
        raise EventNotUnderstood(f"metadata.{name} has nothing at place {parts.index('') + 1}: a comma too many.")
    return parts


def _course(key: str) -> dict[str, str]:
    """A course run's key is never a UUID: it holds a colon or a slash (edx opaque keys)."""
    return {"course_uuid": key.lower()} if UUID.match(key) else {"course_key": key}
