"""How often a learner, or an address that nobody is known by, may call. Staff and services are never throttled.

Rates are settings, "120/min" (units: s, min, h, d); an empty one is no limit. Calls are counted in the default cache,
in windows that begin at whole multiples of the unit: one addition per call, safe with threads and processes.
"""

import logging
import re
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|min|h|d)")


def parse_rate(rate: str) -> tuple[int, int]:
    """(calls, seconds) of a rate such as "120/min". Raises ValueError saying what would be right."""
    found = _RATE.fullmatch(rate)
    if found is None:
        raise ValueError('A rate is written as calls/unit, the unit being s, min, h or d: "120/min".')
    return int(found[1]), _SECONDS[found[2]]


class _Throttle(BaseThrottle):
    setting: str
    _left: float | None = None

    def ident(self, request: Request) -> str | None:
        """Whose calls are counted together; None: not counted here."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = getattr(settings, self.setting)
        ident = self.ident(request) if rate else None
        if ident is None:
            return True
        most, seconds = parse_rate(rate)
        now = time.time()
        window = int(now // seconds)
        self._left = (window + 1) * seconds - now
        return _count(f"cc-throttle:{self.setting}:{ident}:{window}", seconds) <= most

    def wait(self) -> float | None:
        """Seconds until the next window, for Retry-After; one at least."""
        return None if self._left is None else max(1.0, self._left)


class UserThrottle(_Throttle):
    """CC_THROTTLE_USER calls of each learner."""

    setting = "CC_THROTTLE_USER"

    def ident(self, request: Request) -> str | None:
        user = request.user
        if not user or not user.is_authenticated or user.is_staff:
            return None
        return str(user.pk)


class AnonymousThrottle(_Throttle):
    """CC_THROTTLE_ANONYMOUS calls of each address, where nobody is logged in."""

    setting = "CC_THROTTLE_ANONYMOUS"

    def ident(self, request: Request) -> str | None:
        if request.user and request.user.is_authenticated:
            return None
        # What a caller writes into X-Forwarded-For may be anything; a cache's key may not.
        return re.sub(r"[^0-9A-Za-z.:]", "", str(self.get_ident(request)))[:64]


def _count(key: str, seconds: int) -> int:
    """This call's number in its window. 0 when the cache is away: better no limit than no service."""
    try:
        if cache.add(key, 1, seconds + 1):
            return 1
        return int(cache.incr(key))
    except ValueError:  # it ran out in between: a new window
        return 1
    except Exception as error:  # each cache has exceptions of its own
        logger.warning("The throttle could not count: the cache is away.", extra={"error": type(error).__name__})
        return 0
