"""A history played to the service: signed webhooks in any order, deliveries as they are due, then all to the end."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.tasks import deliver

#: Posts one event, signed by its provider's rules, and returns the answer's status.
Post = Callable[[dict[str, Any]], int]

MOST_STEPS = 2_000
OPEN = (Delivery.State.PENDING, Delivery.State.RUNNING)


def play(events: list[dict[str, Any]], post: Post, chance: random.Random, clock: time_machine.Traveller) -> None:
    """Let all of it come in, some of it twice, and run what is due in between and afterwards, in an order by chance."""
    arriving = events + [event for event in events if chance.random() < 0.2]
    chance.shuffle(arriving)
    for _ in range(MOST_STEPS):
        due = list(Delivery.objects.filter(state="pending", next_attempt_at__lte=timezone.now()).order_by("id"))
        if arriving and (not due or chance.random() < 0.4):
            status = post(arriving.pop())
            assert status == 200, f"The webhook answered {status}."
        elif due:
            deliver(chance.choice(due).pk.hex)
        elif not _wait(clock):
            return
    raise AssertionError(f"Not at an end after {MOST_STEPS} steps: do deliveries wait for each other?")


def _wait(clock: time_machine.Traveller) -> bool:
    """Move on to the next retry; False when nothing is open."""
    upcoming = Delivery.objects.filter(state__in=OPEN).order_by("next_attempt_at").first()
    if upcoming is None:
        return False
    clock.move_to(max(upcoming.next_attempt_at, timezone.now()) + timedelta(seconds=1))
    return True
