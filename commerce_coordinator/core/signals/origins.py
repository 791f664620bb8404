"""CC_SIGNAL_ORIGINS: which processes record signals by themselves, and how the others send them through the API."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage

from commerce_coordinator.core.clients.coordinator import coordinator_client, credentials
from commerce_coordinator.core.deliveries.dispatch import Sending, sender_name
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.running import RunningAttempt, running_attempt
from commerce_coordinator.core.exceptions import GiveUp, InvalidPayload, Retry, SendingConfined
from commerce_coordinator.core.transactions import will_commit

from .mistakes import mistake

ORIGINS = frozenset(Dispatch.Origin.values)

#: Without it no event would be taken in: they come over HTTP, and are recorded where they come in.
INDISPENSABLE = Dispatch.Origin.WEB


def is_confined() -> bool:
    """Must this process send its signals through the API?"""
    return settings.CC_ORIGIN not in settings.CC_SIGNAL_ORIGINS


def send_by_api(sending: Sending) -> list[tuple[Any, Any]]:
    """Let the web process record the sending. Returns `[(receiver, its Delivery), ...]`, inline receivers included.

    A Delivery knows its id, receiver and kind; `refresh_from_db()` reads the rest. Raises Retry when the call fails in
    whatever way: a setting that is wrong there is mended too. Raises SendingConfined inside a transaction, which the
    call could not join: the signal would stand even if the transaction is undone.
    """
    if will_commit():
        raise SendingConfined(
            "Signals of this process go through the API (CC_SIGNAL_ORIGINS), which cannot join the open transaction. "
            "Send after it is committed."
        )
    if sending.payload is None:
        raise InvalidPayload(f"{sending.signal} goes through the API (CC_SIGNAL_ORIGINS), so its values must be JSON.")
    attempt = running_attempt()
    key = _dedupe_key(sending, attempt)
    try:
        sent = coordinator_client().send_signal(
            sending.signal,
            sending.payload,
            sender=sender_name(sending.sender),
            idempotency_key=key,
            attempt=attempt,
        )
    except GiveUp as refused:
        raise Retry(f"The signal was not taken by the API. {refused}") from refused
    if attempt and key and not sending.dedupe_key:
        attempt.note_sent(key)
    routes = {route.receiver: route for route in sending.routes}
    found = []
    for receiver, delivery_id in sent.deliveries:
        route = routes.get(receiver)  # the web process may have another map for a moment
        delivery = Delivery(
            pk=delivery_id, dispatch_id=sent.dispatch, receiver=receiver, kind=route.kind if route else ""
        )
        delivery._state.adding = False
        found.append((route.target if route else receiver, delivery))
    return found


def _dedupe_key(sending: Sending, attempt: RunningAttempt | None) -> str | None:
    """What the running attempt would have recorded it by. A business key is not told: the web process makes it."""
    if attempt is None:
        return None
    if (sending.dedupe_key or "").startswith(f"{attempt.idempotency_key}:"):
        return sending.dedupe_key
    return attempt.dedupe_key(sending.signal, sending.payload)


def mistakes() -> list[CheckMessage]:
    """What is wrong with CC_SIGNAL_ORIGINS and with the way to the API."""
    subject, origins = "CC_SIGNAL_ORIGINS", settings.CC_SIGNAL_ORIGINS
    all_of_them = ", ".join(sorted(ORIGINS))
    if not isinstance(origins, (list, tuple)) or not all(isinstance(each, str) for each in origins):
        return [mistake("E030", subject, "is no list of origins", f"Name some of {all_of_them}.")]
    found: list[CheckMessage] = [
        mistake("E030", subject, f"has {each!r}, which is no origin", f"Name some of {all_of_them}.")
        for each in sorted(set(origins) - ORIGINS)
    ]
    confined = sorted(ORIGINS - {INDISPENSABLE, Dispatch.Origin.API} - set(origins))
    if INDISPENSABLE not in origins:
        found.append(mistake("E031", subject, "lacks web, where events come in", "Add web."))
    if confined and Dispatch.Origin.API not in origins:
        found.append(
            mistake("E031", subject, f"lacks api, through which {' and '.join(confined)} would send", "Add api.")
        )
    if confined and (lacking := _lacking_for_calls()):
        found.append(
            mistake("E032", subject, f"confines {' and '.join(confined)}, but {lacking}", "Set it, or add the origins.")
        )
    return found


def _lacking_for_calls() -> str:
    address = urlsplit(str(settings.CC_API_URL))
    if address.scheme not in {"http", "https"} or not address.hostname:
        return "CC_API_URL is no address of this service (https://coordinator.example.com)"
    if not settings.CC_LMS_URL_ROOT:
        return "CC_LMS_URL_ROOT, where the token comes from, is not set"
    if not all(credentials()):
        return "CC_API_CLIENT_ID and CC_API_CLIENT_SECRET, or those of CC_LMS_..., are not set"
    return ""
