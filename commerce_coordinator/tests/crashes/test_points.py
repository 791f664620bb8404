"""A process is killed (SIGKILL) at each point on the way of an event; the purchase ends in effect once, unattended."""

from collections.abc import Callable

import pytest

from commerce_coordinator.core.crash_points import CRASH_POINTS

from .points import Deaths, alone
from .surviving import Story

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_process_killed_at_a_point(point: str, stories: Callable[[Deaths], Story]) -> None:
    assert stories(alone(point))["settled"]


@pytest.mark.parametrize("point", ["delivery.claimed", "signal.sent", "delivery.ran", "delivery.settled"])
def test_attempt_that_died_before_it_was_settled_is_kept_as_lost(
    point: str, stories: Callable[[Deaths], Story]
) -> None:
    (place_order,) = stories(alone(point))["dispatches"][0]["deliveries"]
    outcomes = [attempt["outcome"] for attempt in place_order["attempts"]]
    assert outcomes == (["succeeded"] if point == "delivery.settled" else ["lost", "succeeded"])
