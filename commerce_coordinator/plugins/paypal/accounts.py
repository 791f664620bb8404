"""CC_PAYPAL, read: which accounts there are and how each of them is believed."""

import dataclasses
from typing import Any

from django.conf import settings

LIVE, SANDBOX = "live", "sandbox"
OFFLINE, POSTBACK = "offline", "postback"

API_URLS = {LIVE: "https://api-m.paypal.com", SANDBOX: "https://api-m.sandbox.paypal.com"}

#: What the events of PayPal's simulator are signed for, whoever gets them (source: PayPal's webhook documentation).
SIMULATOR_WEBHOOK_ID = "WEBHOOK_ID"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PayPalAccount:
    """One REST app at PayPal. `name` is "" for the one of /paypal/webhook/."""

    name: str
    webhook_ids: tuple[str, ...]
    client_id: str
    client_secret: str = dataclasses.field(repr=False)
    environment: str
    verification: str
    api_url: str

    @property
    def signed_for(self) -> tuple[str, ...]:
        """The webhook ids that a signature may be for. The simulator proves nothing, so only a sandbox takes it."""
        return (*self.webhook_ids, SIMULATOR_WEBHOOK_ID) if self.environment == SANDBOX else self.webhook_ids


def account_of(name: str) -> PayPalAccount | None:
    """The account of this name; None where CC_PAYPAL has none, or none that events could be verified for."""
    entry = settings.CC_PAYPAL.get(name) if isinstance(settings.CC_PAYPAL, dict) else None
    if not isinstance(entry, dict):
        return None
    ids = entry.get("webhook_ids") or ()
    if isinstance(ids, str):
        ids = [ids]  # a text where a list belongs: each of its letters would pass for an id
    if not isinstance(ids, (list, tuple)):
        return None
    webhook_ids = tuple(each for each in ids if isinstance(each, str) and each.strip())
    # An environment that nobody knows is taken for the stricter one; `manage.py check` names it.
    environment = SANDBOX if entry.get("environment") == SANDBOX else LIVE
    if not webhook_ids:
        return None
    return PayPalAccount(
        name=name,
        webhook_ids=webhook_ids,
        client_id=_text(entry, "client_id"),
        client_secret=_text(entry, "client_secret"),
        environment=environment,
        verification=POSTBACK if entry.get("verification") == POSTBACK else OFFLINE,
        api_url=(_text(entry, "api_url") or API_URLS[environment]).rstrip("/"),
    )


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
