"""What of the mails' settings is missing or wrong: warnings, for a mail that cannot be sent is a dead letter."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from . import languages
from .sending import operators

_TO_OPERATOR = f"{__package__}.tasks.tell_operator_of_"


def check_mail_settings(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Shown by each management command, and by `manage.py check`."""
    found: list[CheckMessage] = list(_languages())
    if _operator_is_told():
        found += [*_operators(), *_public_url()]
    return found


def _operator_is_told() -> bool:
    # What has another shape is a mistake of the map, which the engine tells.
    routes = settings.CC_SIGNALS.values() if isinstance(settings.CC_SIGNALS, Mapping) else ()
    lists = [receivers for receivers in routes if isinstance(receivers, (list, tuple))]
    return any(str(receiver).startswith(_TO_OPERATOR) for receivers in lists for receiver in receivers)


def _operators() -> Iterator[CheckMessage]:
    given = settings.CC_OPERATOR_EMAILS
    count = len([each for each in (given.split(",") if isinstance(given, str) else given) if str(each).strip()])
    if not operators():
        yield Warning(
            "CC_OPERATOR_EMAILS names nobody: mails to the operator become dead letters.",
            hint="Set it to addresses, separated by commas; or route the signals elsewhere.",
            id="notifications.W001",
        )
    elif len(set(operators())) < count:
        yield Warning(
            "CC_OPERATOR_EMAILS has an entry that is no e-mail address, or is there twice: it gets nothing.",
            hint="Write addresses like operator@example.com, separated by commas.",
            id="notifications.W002",
        )


def _public_url() -> Iterator[CheckMessage]:
    parts = urlsplit(settings.CC_PUBLIC_URL)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        yield Warning(
            "CC_PUBLIC_URL is no address of this service: mails to the operator have no links.",
            hint="Set it to where the admin is reached, such as https://coordinator.example.com.",
            id="notifications.W003",
        )


def _languages() -> Iterator[CheckMessage]:
    if languages.shown_in(settings.CC_MAIL_LANGUAGE) is None:
        yield Warning(
            f"CC_MAIL_LANGUAGE is {settings.CC_MAIL_LANGUAGE}, which the mails are not translated into.",
            hint=f"Use one of {', '.join(languages.available())}, or bring a translation in a folder of LOCALE_PATHS.",
            id="notifications.W004",
        )
