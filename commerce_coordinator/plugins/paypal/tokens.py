"""Access tokens of PayPal's API, by an app's own credentials (OAuth 2): one per process and app."""

import threading
from datetime import datetime, timedelta

import requests
from django.utils import timezone

from .accounts import PayPalAccount

TIMEOUT = (3.05, 5.0)
#: A token that ends sooner is not used any more.
LEEWAY = timedelta(seconds=60)

_lock = threading.Lock()
_tokens: dict[tuple[str, str], tuple[str, datetime]] = {}


def access_token(account: PayPalAccount, session: requests.Session) -> str:
    """A token that is good for a minute at least. Raises requests.RequestException when there is none to be had."""
    key = account.api_url, account.client_id
    with _lock:
        token, ends = _tokens.get(key, ("", timezone.now()))
    if token and timezone.now() < ends:
        return token
    answer = session.post(
        f"{account.api_url}/v1/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(account.client_id, account.client_secret),
        headers={"Accept": "application/json"},
        timeout=TIMEOUT,
        allow_redirects=False,
    )
    answer.raise_for_status()
    told = answer.json()
    fresh, seconds = (told.get("access_token"), told.get("expires_in", 0)) if isinstance(told, dict) else (None, 0)
    if not isinstance(fresh, str) or not fresh or not isinstance(seconds, int) or not 0 <= seconds < 10**8:
        raise requests.RequestException("The answer to the call for a token holds none.")
    with _lock:
        _tokens[key] = fresh, timezone.now() + timedelta(seconds=seconds) - LEEWAY
    return fresh


def forget_token(account: PayPalAccount) -> None:
    """After a 401: it is good no more."""
    with _lock:
        _tokens.pop((account.api_url, account.client_id), None)
