"""When to try again: pure functions over the schedule, no database."""

import random
from collections.abc import Sequence

from commerce_coordinator.core.exceptions import GiveUp, Retry

__all__ = ["GiveUp", "Retry", "max_attempts", "next_delay", "wake_gap"]

#: Each delay is made longer by up to this share, so that an outage's deliveries do not come back all at once.
JITTER = 0.2

#: A Retry-After is honoured between 1 and this many times the scheduled delay.
RETRY_AFTER_CEILING = 2.0

LONGEST_WAKE_GAP = 600.0


def max_attempts(schedule: Sequence[float]) -> int:
    """One try, and one more after each delay of the schedule."""
    return len(schedule) + 1


def next_delay(
    *, attempt: int, schedule: Sequence[float], after: float | None = None, chance: float | None = None
) -> float | None:
    """Seconds to wait after the `attempt`-th try (from 1) failed; None when there is no further one.

    `after`: what the far side asked for (Retry-After), honoured between 1 and 2 times the scheduled delay.
    `chance`: a number in [0, 1) instead of a random one.
    """
    if attempt > len(schedule):
        return None
    scheduled = schedule[attempt - 1]
    jittered = scheduled * (1 + JITTER * (random.random() if chance is None else chance))  # noqa: S311
    if after is None:
        return jittered
    return max(jittered, min(after, scheduled * RETRY_AFTER_CEILING))


def wake_gap(wakes: int, *, first: float = 10.0) -> float:
    """Seconds until the relay publishes a due delivery again: 10, 20, 40 ... 600. No storms, no forgetting."""
    return min(first * 2.0 ** min(wakes, 20), LONGEST_WAKE_GAP)
