"""Periodic work that any app registers and the relay runs.

    @chore(every=timedelta(hours=1))
    def forget_old_tokens(): ...

With several relays each chore still runs once per period: whoever moves its heartbeat on, runs it.
"""

import dataclasses
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Heartbeat
from commerce_coordinator.core.telemetry.masking import where

logger = logging.getLogger(__name__)


LONGEST_NAME = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chore:
    """A function without arguments and the least time between two runs."""

    name: str
    every: timedelta
    function: Callable[[], object]


chores: dict[str, Chore] = {}


def chore(*, every: timedelta) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a function in an app's `chores` module. It must be safe to run twice."""

    def decorate(function: Callable[[], object]) -> Callable[[], object]:
        name = f"chore:{function.__module__}.{function.__qualname__}"
        if len(name) > LONGEST_NAME:
            raise ValueError(f"{name} is longer than {LONGEST_NAME} characters, which is all its heartbeat can hold.")
        chores[name] = Chore(name=name, every=every, function=function)
        return function

    return decorate


def run_due_chores(now: datetime | None = None) -> list[str]:
    """Run what is due. A chore that fails is logged and waits for its next period. Returns the names run."""
    now = now or timezone.now()
    ran = []
    for each in chores.values():
        if not _is_ours(each, now):
            continue
        ran.append(each.name)
        try:
            each.function()
        except Exception as error:  # one chore's failure is not the others'
            logger.error(
                "Chore failed.",
                extra={"chore": each.name, "error_class": type(error).__name__, "where": where(error)},
            )
    return ran


def _is_ours(each: Chore, now: datetime) -> bool:
    if Heartbeat.objects.filter(name=each.name, beat_at__lte=now - each.every).update(beat_at=now):
        return True
    _, created = Heartbeat.objects.get_or_create(name=each.name, defaults={"beat_at": now})
    return created
