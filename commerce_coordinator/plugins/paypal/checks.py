"""CC_PAYPAL, looked at whenever a command runs. An empty one is no mistake: then nothing is accepted from PayPal."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from commerce_coordinator.settings import paypal_accounts

from .accounts import SANDBOX

#: The webhook id of the local settings: a laptop's sandbox is as it should be.
LOCAL_WEBHOOK_ID = "local-webhook-id"


def check_accounts(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Shown by each management command, and by `manage.py check`."""
    return [*_mistakes(), *_doubts()]


def _mistakes() -> Iterator[CheckMessage]:
    for text in paypal_accounts.complaints(settings.CC_PAYPAL):
        yield Error(text, hint="Mend CC_PAYPAL, or take the account out of it. See docs/paypal.rst.", id="paypal.E001")
    if text := paypal_accounts.roots_complaint(settings.CC_PAYPAL_TRUSTED_ROOTS):
        yield Error(text, hint="Without it, no event of PayPal's can be verified.", id="paypal.E002")


def _doubts() -> Iterator[CheckMessage]:
    accounts = settings.CC_PAYPAL if isinstance(settings.CC_PAYPAL, dict) else {}
    for name, entry in accounts.items():
        if not isinstance(entry, dict) or settings.DEBUG:
            continue
        if entry.get("environment") == SANDBOX and entry.get("webhook_ids") != [LOCAL_WEBHOOK_ID]:
            yield Warning(
                f'CC_PAYPAL, account "{name}": environment is sandbox outside a laptop: its payments are no money, and '
                "events of PayPal's simulator are believed.",
                hint="Set it to live, or silence paypal.W001 where the whole installation is a test.",
                id="paypal.W001",
            )
