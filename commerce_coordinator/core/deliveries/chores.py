"""Retention: settled stories older than CC_RETENTION_DAYS go, leaf by leaf.

A dispatch goes when it is old, all its deliveries and the one that sent it ended well, and nothing that they sent is
still there. So a delivery that may run again finds what it sent, and adds nothing.

Dead deliveries and unrouted dispatches are never removed: they are an operator's business.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from commerce_coordinator.core.chores import chore

from .models import Attempt, Delivery, Dispatch, OperatorAct

logger = logging.getLogger(__name__)

BATCH = 500

#: Batches per run: the relay has more to do than this, and the next run is near.
MOST_BATCHES = 20

ENDED_WELL = (Delivery.State.SUCCEEDED, Delivery.State.CANCELLED)


@chore(every=timedelta(minutes=10))
def prune() -> int:
    """Remove settled stories in batches. Returns the number of dispatches removed."""
    before = timezone.now() - timedelta(days=settings.CC_RETENTION_DAYS)
    removed = 0
    for _ in range(MOST_BATCHES):
        count = _prune_batch(before)
        removed += count
        if not count:
            break
    if removed:
        logger.info("Settled stories removed.", extra={"dispatches": removed})
    return removed


def _prune_batch(before: datetime) -> int:
    mine = Delivery.objects.filter(dispatch=OuterRef("pk"))
    keys = list(
        Dispatch.objects.filter(
            ~Exists(mine.exclude(state__in=ENDED_WELL)),
            ~Exists(mine.filter(Exists(Dispatch.objects.filter(parent=OuterRef("pk"))))),
            ~Exists(Delivery.objects.filter(pk=OuterRef("parent_id")).exclude(state__in=ENDED_WELL)),
            created_at__lt=before,
            unrouted=False,
        )
        .order_by("created_at")
        .values_list("pk", flat=True)[:BATCH]
    )
    if not keys:
        return 0
    with transaction.atomic():
        deliveries = list(Delivery.objects.filter(dispatch__in=keys).values_list("pk", flat=True))
        Attempt.objects.filter(delivery__in=deliveries)._raw_delete("default")
        OperatorAct.objects.filter(delivery__in=deliveries)._raw_delete("default")
        OperatorAct.objects.filter(dispatch__in=keys)._raw_delete("default")
        ended = Delivery.objects.filter(pk__in=deliveries, state__in=ENDED_WELL)._raw_delete("default")
        if ended != len(deliveries):
            # Somebody replayed one just now; its story stays, and with it this batch, until the next run.
            transaction.set_rollback(True)
            return 0
        Dispatch.objects.filter(pk__in=keys)._raw_delete("default")
    return len(keys)
