"""Private values do not leave: a last line of defence behind 'log ids, never payloads'."""

import functools
import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

MASK = "•••"

#: Keys whose values are never shown, whatever they hold.
SECRET_KEYS = re.compile(
    r"(?i)(password|passwd|secret|token|authorization|cookie|api_?key|signature|e-?mail|user_?name|full_?name"
    r"|first_name|last_name|^name$|payload|^body$|raw_body|private)"
)

# Each begins where a run of its characters begins: tried again at every character, a long text would take minutes.
_PATTERNS = (
    # Passwords in URLs; first, for a password's end and the host behind it look like an e-mail address.
    (re.compile(r"\b(\w+://[^/\s:@]*:)[^/\s]+@"), rf"\1{MASK}@"),
    # E-mail addresses, URL-quoted ones too.
    (re.compile(r"(?<![\w.+\-])[\w.+\-]+(?:['%][\w.+\-]+){0,4}(?:@|%40)[\w\-]+(?:\.[\w\-]+)+"), MASK),
    # Stripe's keys and secrets; bearer and JWT tokens; JWTs by their shape.
    (re.compile(r"\b(?:whsec|sk_live|sk_test|rk_live|rk_test|(?:pi|seti)_[A-Za-z0-9]+_secret)_[A-Za-z0-9_]+"), MASK),
    (re.compile(r"(?i)\b(bearer|jwt)\s+[A-Za-z0-9._~+/\-]+=*"), rf"\1 {MASK}"),
    (re.compile(r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)+"), MASK),
    # Query strings and form bodies: user=..., username=..., client_secret=...; q=..., what somebody searches for.
    (re.compile(r"(?i)\b(user|username|email|client_secret|access_token|password|secret|q)=[^&\s\"']+"), rf"\1={MASK}"),
)

#: What a text must hold for any of the patterns to match: nearly every log value is an id and holds none of it.
_SUSPICIOUS = re.compile(r"[@=]|%40|eyJ|whsec_|[sr]k_(?:live|test)_|_secret_|(?i:bearer|jwt)")


def mask_text(text: str) -> str:
    """The text without what looks like an e-mail address, a secret or a token."""
    return _mask_patterns(text) if _SUSPICIOUS.search(text) else text


@functools.lru_cache(1024)
def is_secret_key(key: str) -> bool:
    """Does this key's name say that its value is never shown?"""
    return SECRET_KEYS.search(key) is not None


def _mask_patterns(text: str) -> str:
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask(value: Any) -> Any:
    """Mask strings anywhere in a structure; values under a secret key go whole. What is no JSON becomes text."""
    if isinstance(value, Mapping):
        return {mask_text(str(key)): MASK if is_secret_key(str(key)) else mask(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [mask(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return mask_text(str(value))


def where(error: BaseException, frames: int = 3) -> str:
    """Where an error came from, innermost last, without its message: that may quote a payload.

    `receivers.py:105 call > tasks.py:31 place_order`
    """
    found = traceback.extract_tb(error.__traceback__)[-frames:]
    return " > ".join(f"{PurePath(each.filename).name}:{each.lineno} {each.name}" for each in found)
