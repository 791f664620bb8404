"""Webhooks that were refused, counted. Nothing of them is kept: who sent them is not known, and they may be hostile.

A wrong signing secret looks from here like somebody who forges events, so that a person must see that, and how often,
it happens. Whoever floods us with forged requests must not make us write as often. So each process counts in memory
and writes at most once every WRITE_EVERY seconds, into one row per provider, code and ten minutes; the codes are ours.
"""

import logging
import threading
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from django.db import DatabaseError, InterfaceError
from django.db.models import F, Sum
from django.utils import timezone

from commerce_coordinator.core.transactions import again_after_deadlock

from .models import WebhookRefusal

logger = logging.getLogger(__name__)

WRITE_EVERY = 10.0
BUCKET = timedelta(minutes=10)

#: Kinds that wait to be written; more than there are codes, and a bound even if a code came from a request.
MOST_KINDS = 64
OTHER = "other"

Kind = tuple[str, str]


class Refusals:
    """The counts of this process that are not written yet. Safe with threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[Kind] = Counter()
        self._not_before = 0.0

    def note(self, provider: str, code: str) -> None:
        """Count one. The first is written at once, later ones with the next that comes when the time is up."""
        kind = (provider, code[:64])
        with self._lock:
            if kind not in self._waiting and len(self._waiting) >= MOST_KINDS:
                kind = (provider, OTHER)
            self._waiting[kind] += 1
        self.write_due()

    def write_due(self) -> None:
        """Write what waits, unless this process wrote a moment ago. Never raises for a database that is away."""
        with self._lock:
            if not self._waiting or monotonic() < self._not_before:
                return
            self._not_before = monotonic() + WRITE_EVERY
            taken, self._waiting = self._waiting, Counter()
        now = timezone.now()
        try:
            for kind in list(taken):
                _add(*kind, taken[kind], now)
                del taken[kind]
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Refused webhooks could not be counted yet.", extra={"error_class": type(error).__name__})
            with self._lock:
                self._waiting.update(taken)

    def forget(self) -> None:
        """As if the process had just started."""
        with self._lock:
            self._waiting.clear()
            self._not_before = 0.0


refusals = Refusals()


def refused_since(since: datetime) -> dict[str, dict[str, int]]:
    """provider -> code -> times, of the rows that were last added to after this."""
    found: dict[str, dict[str, int]] = {}
    # By name, so that what is shown does not change its order.
    rows = (
        WebhookRefusal.objects.filter(last_at__gte=since).values_list("provider", "code").order_by("provider", "code")
    )
    for provider, code, times in rows.annotate(all=Sum("times")):
        found.setdefault(provider, {})[code] = times
    return found


def _add(provider: str, code: str, times: int, now: datetime) -> None:
    """One statement, by the unique index; three for the first of each ten minutes."""
    begin = datetime.fromtimestamp(now.timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds(), tz=now.tzinfo)
    key = {"provider": provider, "code": code, "since": begin}
    add = partial(WebhookRefusal.objects.filter(**key).update, times=F("times") + times, last_at=now)
    if not again_after_deadlock(add):
        # Another process may be first.
        WebhookRefusal.objects.bulk_create([WebhookRefusal(**key, times=0, last_at=now)], ignore_conflicts=True)
        again_after_deadlock(add)
