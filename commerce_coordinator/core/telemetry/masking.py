"""Private values do not leave: a last line of defence behind 'log ids, never payloads'."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "•••"

#: Keys whose values are never shown, whatever they hold.
SECRET_KEYS = re.compile(
    r"(?i)(password|passwd|secret|token|authorization|cookie|api_?key|signature|e-?mail|user_?name|full_?name"
    r"|first_name|last_name|^name$|payload|^body$|raw_body|private)"
)

_PATTERNS = (
    # E-mail addresses, URL-quoted ones too.
    (re.compile(r"[\w.+\-]+(?:@|%40)[\w\-]+(?:\.[\w\-]+)+"), MASK),
    # Stripe's keys and secrets; bearer and JWT tokens; JWTs by their shape.
    (re.compile(r"\b(?:whsec|sk_live|sk_test|rk_live|rk_test)_[A-Za-z0-9_]+"), MASK),
    (re.compile(r"(?i)\b(bearer|jwt)\s+[A-Za-z0-9._\-]+"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*"), MASK),
    # Query strings and form bodies: user=..., username=..., client_secret=...
    (re.compile(r"(?i)\b(user|username|email|client_secret|access_token|password|secret)=[^&\s\"']+"), rf"\1={MASK}"),
    # Passwords in URLs.
    (re.compile(r"(\w+://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),
)


def mask_text(text: str) -> str:
    """The text without what looks like an e-mail address, a secret or a token."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask(value: Any) -> Any:
    """Mask strings anywhere in a structure; values under a secret key go whole."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {key: MASK if SECRET_KEYS.search(str(key)) else mask(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(inner) for inner in value]
    return value
