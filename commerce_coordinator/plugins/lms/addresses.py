"""Addresses that a browser is sent to."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

#: Characters. Longer ones are cut by browsers and proxies.
LONGEST_URL = 8000


def is_safe(url: Any) -> bool:
    """An http or https address of a host, without a password in it, in characters that a header may hold."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "@" not in parts.netloc and "\\" not in url


def with_query(url: str, query: str) -> str:
    """The address with `query`, which is urlencoded already, behind the one that it has."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))
