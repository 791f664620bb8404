"""Retention: bodies of old events are emptied. The row stays, a tombstone: a late duplicate is still known."""

import logging
import uuid
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.utils import timezone

from commerce_coordinator.core.chores import chore
from commerce_coordinator.core.deliveries.models import OperatorAct
from commerce_coordinator.core.transactions import atomically

from .models import InboxEvent, WebhookRefusal

logger = logging.getLogger(__name__)

BATCH = 500
MOST_BATCHES = 20

#: Long enough to look back after a weekend.
REFUSALS_KEPT = timedelta(days=7)


@chore(every=timedelta(minutes=10))
def empty_old_bodies() -> int:
    """Empty the bodies of events older than CC_RETENTION_DAYS, except failed ones. Returns how many."""
    before = timezone.now() - timedelta(days=settings.CC_RETENTION_DAYS)
    emptied = 0
    for _ in range(MOST_BATCHES):
        # __in: for a bare boolean Django writes no comparison, and SQLite then cannot use the index.
        keys = list(
            InboxEvent.objects.filter(body_kept__in=[True], received_at__lt=before)
            .exclude(state=InboxEvent.State.FAILED)
            .values_list("pk", flat=True)[:BATCH]
        )
        if not keys:
            break
        emptied += atomically(partial(_empty, keys))
    if emptied:
        logger.info("Old event bodies emptied.", extra={"events": emptied})
    return emptied


def _empty(keys: list[uuid.UUID]) -> int:
    """The bodies, and what operators did to these events: a person's own words may name a learner, as bodies do."""
    # The state again: it may have been replayed, or failed, in between.
    rows = InboxEvent.objects.filter(pk__in=keys).exclude(state=InboxEvent.State.FAILED)
    emptied = rows.update(raw_body=None, body_kept=False)
    OperatorAct.objects.filter(event__in=keys, event__body_kept__in=[False]).delete()
    return emptied


@chore(every=timedelta(hours=1))
def forget_old_refusals() -> int:
    """Remove counts of refused webhooks that are older than REFUSALS_KEPT. Returns how many."""
    return WebhookRefusal.objects.filter(last_at__lt=timezone.now() - REFUSALS_KEPT).delete()[0]
