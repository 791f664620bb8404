"""CC_PAYPAL, judged: what would keep an account from working. Production refuses to start with it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENVIRONMENTS = ("live", "sandbox")
VERIFICATIONS = ("offline", "postback")
FIELDS = frozenset({"webhook_ids", "client_id", "client_secret", "environment", "verification", "api_url"})

_NAME = re.compile(r"[A-Za-z0-9_-]{0,64}", re.ASCII)
_PEM = b"-----BEGIN CERTIFICATE-----"


def complaints(accounts: Any, is_known_to_all: Callable[[Any], bool] = lambda value: False) -> list[str]:
    """Each mistake in words that name the account, the field and what would be right. No accounts: no mistake."""
    if not accounts:
        return []
    if not isinstance(accounts, Mapping):
        return ['CC_PAYPAL must map each account to its fields, e.g. {"": {"webhook_ids": ["..."], ...}}.']
    return [
        f'CC_PAYPAL, account "{name}": {text}'
        for name, entry in accounts.items()
        for text in _of_account(name, entry, is_known_to_all)
    ]


def roots_complaint(path: Any) -> str:
    """What is wrong with CC_PAYPAL_TRUSTED_ROOTS; empty if nothing is."""
    if not path:
        return ""
    remedy = "Name a PEM file of the root certificates to trust, or leave it empty for certifi's."
    if not isinstance(path, str):
        return f"CC_PAYPAL_TRUSTED_ROOTS must be a path. {remedy}"
    try:
        found = Path(path).read_bytes()
    except (OSError, ValueError):
        return f"CC_PAYPAL_TRUSTED_ROOTS names a file that cannot be read. {remedy}"
    return "" if _PEM in found else f"CC_PAYPAL_TRUSTED_ROOTS names a file without a certificate in it. {remedy}"


def _of_account(name: Any, entry: Any, is_known_to_all: Callable[[Any], bool]) -> list[str]:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return ["its name must be letters, digits, - and _: it stands in the webhook's address."]
    if not isinstance(entry, Mapping):
        return ['its fields must be a map: {"webhook_ids": ["..."], "client_id": "...", ...}.']
    found = [f"there is no field {field}." for field in sorted(map(str, entry.keys() - FIELDS))]
    ids = entry.get("webhook_ids")
    if not isinstance(ids, (list, tuple)) or not ids or not all(isinstance(each, str) and each.strip() for each in ids):
        found.append("webhook_ids must be a list of the webhook ids that PayPal's dashboard shows, none of them empty.")
    elif is_known_to_all(ids):
        found.append("webhook_ids has a value that everybody knows. Give the id that PayPal's dashboard shows.")
    for field in ("client_id", "client_secret"):
        value = entry.get(field)
        if not isinstance(value, str) or not value.strip():
            found.append(f"{field} is missing. Give that of the REST app: captures and refunds need it.")
        elif is_known_to_all(value):
            found.append(f"{field} is a value that everybody knows. Give that of the REST app.")
    if entry.get("environment") not in ENVIRONMENTS:
        found.append(f"environment must be one of {', '.join(ENVIRONMENTS)}.")
    if entry.get("verification", "offline") not in VERIFICATIONS:
        found.append(f"verification must be one of {', '.join(VERIFICATIONS)}.")
    url = entry.get("api_url", "")
    if url and not (isinstance(url, str) and _is_address(url)):
        found.append("api_url must be an http or https address, or be left out.")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
