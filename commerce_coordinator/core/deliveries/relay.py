"""The relay: publishes what is due, takes back expired leases, sends the canary. It never runs a receiver.

It reads the rows, so it works when the broker does not, and any number of them may run side by side: what two of them
publish twice is claimed once.
"""

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import F
from django.utils import timezone

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.telemetry.masking import where
from commerce_coordinator.core.transactions import again_after_deadlock

from . import claims
from .models import Delivery
from .publish import publisher
from .receivers import UnknownReceiver, resolve, task_of
from .retry import wake_gap
from .spans import publishing
from .tasks import CANARY_TASK, beat

logger = logging.getLogger(__name__)

BATCH = 500
RELAY_HEARTBEAT = "relay"

UNKNOWN_LOOK_AGAIN = timedelta(seconds=60)

State = Delivery.State


class Relay:
    """Call `tick` again and again."""

    def __init__(self) -> None:
        self._canary_due: datetime | None = None

    def tick(self, now: datetime | None = None) -> bool:
        """One round. True when a full batch was due: come again at once."""
        now = now or timezone.now()
        beat(RELAY_HEARTBEAT, now)
        due = list(Delivery.objects.filter(wake_at__lte=now).order_by("wake_at")[:BATCH])
        reached("relay.selected", "due" if due else "idle")
        published = self._publish([each for each in due if self._is_sound(each, now)], now)
        self._send_canary(now)
        return published and len(due) == BATCH

    def _is_sound(self, delivery: Delivery, now: datetime) -> bool:
        """Is it to be published? One row that cannot be dealt with must not keep the others waiting."""
        try:
            return self._is_to_be_published(delivery, now)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:
            logger.error(
                "A due delivery cannot be dealt with.",
                extra={"delivery": str(delivery.pk), "error_class": type(error).__name__, "where": where(error)},
            )
            Delivery.objects.filter(pk=delivery.pk, wake_at__lte=now).update(wake_at=now + UNKNOWN_LOOK_AGAIN)
            return False

    def _is_to_be_published(self, delivery: Delivery, now: datetime) -> bool:
        if delivery.state == State.RUNNING:
            claims.take_back(delivery, now)
            return False  # dead, or due by the schedule
        if delivery.state != State.PENDING:
            # Nothing we write leaves a settled row like this; a row changed by hand must not come up for ever. A state
            # that only newer code knows is that code's business: its relay shall find the row.
            again = None if delivery.state in State.values else now + UNKNOWN_LOOK_AGAIN
            Delivery.objects.filter(pk=delivery.pk, state=delivery.state, wake_at__lte=now).update(wake_at=again)
            return False
        return self._is_known(delivery, now)

    def _is_known(self, delivery: Delivery, now: datetime) -> bool:
        try:
            resolve(delivery.receiver, delivery.kind)
        except UnknownReceiver:
            # A rolling deploy may run an older relay beside newer workers: a path it does not know need not be wrong.
            given_up_at = delivery.next_attempt_at + timedelta(seconds=settings.CC_UNKNOWN_RECEIVER_SECONDS)
            if now < given_up_at:
                again = min(now + UNKNOWN_LOOK_AGAIN, given_up_at)
                Delivery.objects.filter(pk=delivery.pk, state=State.PENDING).update(wake_at=again)
                logger.warning("No receiver has this path yet.", extra={"receiver": delivery.receiver})
                return False
            claims.bury(
                delivery,
                error_class="UnknownReceiver",
                error_text="No receiver has this path: it was renamed without an alias, or its plugin was removed.",
                now=now,
            )
            logger.error("Delivery is dead: no receiver has its path.", extra={"delivery": str(delivery.pk)})
            return False
        return True

    def _publish(self, deliveries: list[Delivery], now: datetime) -> bool:
        """False when the broker does not take them; they stay due."""
        if not deliveries:
            return True
        with publishing(deliveries):
            taken = publisher.publish([(task_of(each), (each.pk.hex,)) for each in deliveries])
        reached("relay.published")
        by_wakes = defaultdict(list)
        # Those that a failing broker took are not due again at once, or they would crowd out the others for ever.
        for each in deliveries[:taken]:
            by_wakes[each.wakes].append(each.pk)
        for wakes, keys in by_wakes.items():
            # wake_at in the WHERE: what a worker claimed in between has its lease's end there by now.
            waiting = Delivery.objects.filter(pk__in=keys, state=State.PENDING, wake_at__lte=now)
            gap = timedelta(seconds=wake_gap(wakes, first=settings.CC_WAKE_GAP_SECONDS))
            again_after_deadlock(partial(waiting.update, wake_at=now + gap, wakes=F("wakes") + 1))
        if taken:
            logger.info("Published due deliveries.", extra={"deliveries": taken})
        return taken == len(deliveries)

    def _send_canary(self, now: datetime) -> None:
        if self._canary_due is not None and now < self._canary_due:
            return
        self._canary_due = now + timedelta(seconds=settings.CC_CANARY_SECONDS)
        # expires: canaries that waited out a dead worker must not sing all at once, and are worth nothing then.
        publisher.publish([(CANARY_TASK, (now.timestamp(),))], expires=60)
