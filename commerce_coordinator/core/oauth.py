"""Calls with this service's own OAuth2 client at the LMS: one token per process, whatever the number of threads."""

import contextlib
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from edx_rest_api_client.client import OAuthAPIClient, get_oauth_access_token

#: A token that ends sooner is not used for a call that may take a while.
LEEWAY = timedelta(seconds=30)

_Key = tuple[str, str]
_locks: "defaultdict[_Key, threading.Lock]" = defaultdict(threading.Lock)
_tokens: dict[_Key, tuple[str, datetime]] = {}
#: How many calls for a token have ended, and how the last one failed.
_calls: "Counter[_Key]" = Counter()
_failures: dict[_Key, Exception] = {}


class ServiceSession(OAuthAPIClient):
    """A requests session, for one thread, that carries the process's token.

    The library keeps tokens per thread and in Django's cache; here a cache that is away costs no token, and a token
    that was refused is thrown away once, however many threads were told so.
    """

    def _ensure_authentication(self) -> None:
        """Raises requests.RequestException when the LMS gives no token."""
        calls = _calls[self._key]
        with _locks[self._key]:  # the others wait: one call is enough for all
            token, expires_at = _tokens.get(self._key, ("", datetime.min))
            if datetime.now(UTC).replace(tzinfo=None) >= expires_at:
                failure = _failures.get(self._key)
                if failure is not None and _calls[self._key] != calls:
                    # It failed while we waited. Asking one after the other, the last thread would wait for minutes.
                    raise failure.with_traceback(None)
                with self._counted():
                    token, expires_at = _tokens[self._key] = self._fetch()
        self.auth.token = token

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        _failures.pop(self._key, None)
        try:
            yield
        except Exception as error:
            _failures[self._key] = error
            raise
        finally:
            _calls[self._key] += 1

    def forget_token(self) -> None:
        """After a 401: the token of the last call is good no more. One that another thread has fetched since stays."""
        with _locks[self._key]:
            if _tokens.get(self._key, ("",))[0] == self.auth.token:
                del _tokens[self._key]

    def _fetch(self) -> tuple[str, datetime]:
        """(token, when to fetch another one: naive, in UTC, as the library counts)."""
        before = datetime.now(UTC).replace(tzinfo=None)
        try:
            token, expires_at = get_oauth_access_token(
                self._base_url, self._client_id, self._client_secret, timeout=self._timeout
            )
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, requests.RequestException):
                raise
            # JSON, but not of RFC 6749's shape: the library reads on without looking.
            raise requests.RequestException("The answer to the call for a token holds none.") from error
        # A token that lives for less than the leeway is used for half of its life.
        return token, max(expires_at - LEEWAY, before + (expires_at - before) / 2)

    @property
    def _key(self) -> tuple[str, str]:
        return self._base_url, self._client_id


def forget_all(*_: Any) -> None:
    """For tests."""
    _tokens.clear()
    _failures.clear()
