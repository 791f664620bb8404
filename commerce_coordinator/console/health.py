"""Is the service well? The database alone decides whether a web node may take events; the rest is told beside it."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Min, Q
from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, Heartbeat
from commerce_coordinator.core.deliveries.publish import publisher
from commerce_coordinator.core.deliveries.relay import RELAY_HEARTBEAT
from commerce_coordinator.core.deliveries.tasks import WORKER_HEARTBEAT
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.refusals import refusals, refused_since

#: Several canaries (one each 10 s, as set) must have got lost before a worker is called silent.
SILENT_AFTER_CANARIES = 4.5

REFUSED_WITHIN = timedelta(hours=1)

#: Counting stops here: a probe every few seconds must not walk a long table.
COUNT_UP_TO = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Health:
    """`database` decides; `details` is for people."""

    database: bool
    details: dict[str, Any]


def look(now: datetime | None = None) -> Health:
    """Look at everything. Never raises for what is away."""
    now = now or timezone.now()
    try:
        beats = dict(Heartbeat.objects.filter(name__in=[RELAY_HEARTBEAT, WORKER_HEARTBEAT]).values_list())
        oldest = _due_since(now)
        attention = {
            "dead_deliveries": _count(Delivery.objects.filter(state=Delivery.State.DEAD)),
            "failed_events": _count(InboxEvent.objects.filter(state=InboxEvent.State.FAILED)),
            # __in: for a bare boolean Django writes no comparison, and SQLite then cannot use the index.
            "unrouted_dispatches": _count(Dispatch.objects.filter(unrouted__in=[True])),
        }
        refusals.write_due()
        refused = refused_since(now - REFUSED_WITHIN)
    except (DatabaseError, InterfaceError) as error:
        return Health(database=False, details={"database": "away", "error": type(error).__name__})
    relay = _alive(beats.get(RELAY_HEARTBEAT), now)
    return Health(
        database=True,
        details={
            "database": "ok",
            "broker": "ok" if publisher.ping() else "away",
            "relay": relay,
            "workers": _workers(_alive(beats.get(WORKER_HEARTBEAT), now), relay),
            "oldest_due_seconds": round((now - oldest).total_seconds(), 1) if oldest else 0,
            "attention": attention,
            "webhooks_refused_last_hour": refused,
        },
    )


def _alive(beat_at: datetime | None, now: datetime) -> dict[str, Any]:
    if beat_at is None:
        return {"state": "never seen"}
    age = now - beat_at
    silent_after = timedelta(seconds=SILENT_AFTER_CANARIES * settings.CC_CANARY_SECONDS)
    return {"state": "ok" if age < silent_after else "silent", "seconds_ago": round(age.total_seconds(), 1)}


def _due_since(now: datetime) -> datetime | None:
    """Since when the oldest delivery waits that is due: for the relay, or for a worker. None: none is. Two statements.

    The relay moves `wake_at` on at each publishing, so a delivery that no worker takes seems never late by it; what a
    worker owes is told by `next_attempt_at`, of so many pending ones as are counted, those that came first.
    """
    for_relay = Delivery.objects.filter(wake_at__lte=now).order_by("wake_at").values_list("wake_at", flat=True).first()
    pending = Delivery.objects.filter(state=Delivery.State.PENDING).order_by("pk")[:COUNT_UP_TO]
    due = Q(next_attempt_at__lte=now)
    for_worker = pending.aggregate(since=Min("next_attempt_at", filter=due))["since"]
    return min((since for since in (for_relay, for_worker) if since), default=None)


def _workers(found: dict[str, Any], relay: dict[str, Any]) -> dict[str, Any]:
    """The relay asks them for their signs of life: where it is silent, their silence tells nothing."""
    return found if "ok" in (found["state"], relay["state"]) else {**found, "state": "unknown"}


def _count(queryset: Any) -> int:
    return len(queryset.values_list("pk", flat=True)[:COUNT_UP_TO])
