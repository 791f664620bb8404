"""The settings CC_STRIPE_..., looked at whenever a command runs."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from commerce_coordinator.settings import stripe_accounts

#: The signing secret of the local settings: a laptop takes test events, and needs no API key.
LOCAL_SECRETS = {"": ["whsec_local"]}

_NAMES = (
    "CC_STRIPE_SECRETS",
    "CC_STRIPE_LIVEMODE",
    "CC_STRIPE_TOLERANCE",
    "CC_STRIPE_API_KEYS",
    "CC_STRIPE_API_URL",
    "CC_STRIPE_CONNECT_TIMEOUT",
    "CC_STRIPE_READ_TIMEOUT",
)


def check_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Shown by each management command, and by `manage.py check`."""
    found = {name: getattr(settings, name) for name in _NAMES}
    return list(_mistakes(found)) or list(_doubts(found))


def _mistakes(found: dict[str, Any]) -> Iterator[CheckMessage]:
    for text in stripe_accounts.complaints(found):
        yield Error(text, hint="See docs/stripe.rst.", id="stripe.E001")


def _doubts(found: dict[str, Any]) -> Iterator[CheckMessage]:
    if settings.DEBUG or found["CC_STRIPE_SECRETS"] == LOCAL_SECRETS:
        return
    for number, text, hint in stripe_accounts.doubts(found):
        yield Warning(text, hint=hint, id=f"stripe.{number}")
