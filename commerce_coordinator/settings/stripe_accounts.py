"""The settings CC_STRIPE_..., judged: production refuses to start with a mistake, and is told of a doubt."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

#: Seconds. Longer than this a copied request could be sent again; Stripe's own libraries take 300.
LONGEST_TOLERANCE = 3600

_REMEDY = 'Give each account\'s signing secrets, e.g. {"": ["whsec_..."]}.'
_NAME = re.compile(r"[A-Za-z0-9_-]{0,64}", re.ASCII)
#: Secret and restricted keys. A publishable one, pk_..., is for browsers and may not refund.
_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+", re.ASCII)


def complaints(settings: Mapping[str, Any]) -> list[str]:
    """What keeps Stripe from working, or lets others in, in words that name the setting and what would be right."""
    return [
        *_of_secrets(settings.get("CC_STRIPE_SECRETS")),
        *_of_keys(settings),
        *_of_the_rest(settings),
    ]


def doubts(settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What works, and is seldom meant: a number, the doubt, and what would be right. Of settings without mistakes."""
    secrets, keys = settings.get("CC_STRIPE_SECRETS") or {}, settings.get("CC_STRIPE_API_KEYS") or {}
    if settings.get("CC_STRIPE_LIVEMODE") is not True:
        yield (
            "W001",
            "CC_STRIPE_LIVEMODE takes events of Stripe's test mode outside a laptop: their payments are no money.",
            "Set it to true, or silence stripe.W001 where the whole installation is a test.",
        )
    for name in secrets:
        if name not in keys:
            yield (
                "W002",
                f'CC_STRIPE_API_KEYS has no key for the account "{name}": a refund of a payment of this account that '
                "the LMS asks for becomes a dead letter, and its receipts are not found.",
                "Give the account's restricted key. See docs/stripe.rst.",
            )
        if not all(each.startswith("whsec_") for each in secrets[name]):
            yield (
                "W003",
                f'CC_STRIPE_SECRETS, account "{name}": a signing secret of Stripe\'s begins with whsec_.',
                "Copy it from the webhook endpoint's page. It is no API key.",
            )
    if settings.get("CC_STRIPE_TOLERANCE", 0) > LONGEST_TOLERANCE:
        yield (
            "W004",
            "CC_STRIPE_TOLERANCE is more than an hour: so long a copied request can be sent again.",
            "Stripe's own is 300 seconds; each redelivery is signed anew.",
        )
    if not _is_safe(settings.get("CC_STRIPE_API_URL", "")):
        yield (
            "W005",
            "CC_STRIPE_API_URL is not https: the API key goes over the wire in the clear.",
            "Leave it out; Stripe's own is https://api.stripe.com.",
        )


def _of_secrets(secrets: Any) -> Iterator[str]:
    if not secrets:
        return  # that there must be any is said with everything else that is missing
    if not _are_lists_of_secrets(secrets):
        yield f"CC_STRIPE_SECRETS must map each account to a list of secrets, none of them empty. {_REMEDY}"
        return
    for name in secrets:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield (
                "CC_STRIPE_SECRETS has an account whose name cannot stand in the webhook's address: "
                "use letters, digits, - and _."
            )


def _of_keys(settings: Mapping[str, Any]) -> Iterator[str]:
    keys, secrets = settings.get("CC_STRIPE_API_KEYS"), settings.get("CC_STRIPE_SECRETS")
    if not keys:
        return
    if not isinstance(keys, Mapping):
        yield 'CC_STRIPE_API_KEYS must map each account to its key, e.g. {"": "rk_live_..."}.'
        return
    expected = {True: "live", False: "test"}.get(settings.get("CC_STRIPE_LIVEMODE"))  # type: ignore[arg-type]
    for name, key in keys.items():
        about = f'CC_STRIPE_API_KEYS, account "{name}":'
        if isinstance(secrets, Mapping) and name not in secrets:
            known = ", ".join(f'"{each}"' for each in secrets) or "none"
            yield f"{about} CC_STRIPE_SECRETS knows no such account (it knows {known}), so none of its events come in."
        found = _KEY.fullmatch(key.strip()) if isinstance(key, str) else None
        if not found:
            yield f"{about} this is no secret key. Give a restricted key (rk_...) or a secret key (sk_...)."
        elif expected and found[2] != expected:
            yield (
                f"{about} this is a key of {found[2]} mode, but CC_STRIPE_LIVEMODE takes {expected} mode's events: "
                f"its refunds would find no payment. Give a key of {expected} mode."
            )


def _of_the_rest(settings: Mapping[str, Any]) -> Iterator[str]:
    tolerance = settings.get("CC_STRIPE_TOLERANCE", 1)
    if not isinstance(tolerance, int) or isinstance(tolerance, bool) or tolerance <= 0:
        yield "CC_STRIPE_TOLERANCE must be seconds above 0: 0 switches the check of the timestamp off."
    if not isinstance(settings.get("CC_STRIPE_LIVEMODE"), bool | None):
        yield "CC_STRIPE_LIVEMODE must be true, false or null, and no text."
    if not _is_address(settings.get("CC_STRIPE_API_URL", "https://api.stripe.com")):
        yield "CC_STRIPE_API_URL must be an http or https address. Leave it out for Stripe's own."
    for name in ("CC_STRIPE_CONNECT_TIMEOUT", "CC_STRIPE_READ_TIMEOUT"):
        seconds = settings.get(name, 1.0)
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < float("inf"):
            yield f"{name} must be seconds above 0."


def _are_lists_of_secrets(value: Any) -> bool:
    """False for a text where a list belongs, too: each of its letters would pass for a secret."""
    return isinstance(value, Mapping) and all(
        isinstance(secrets, (list, tuple))
        and secrets
        and all(isinstance(each, str) and each.strip() for each in secrets)
        for secrets in value.values()
    )


def _is_address(url: Any) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except (ValueError, TypeError, AttributeError):
        return False


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
