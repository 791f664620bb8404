"""Two processes are killed on the way of one event, at every ordered pair of points; the rest as for one.

One pair alone: `make test-slow ARGS="-k 'two_points and embedded-publish.after-relay.selected'"`.
"""

from collections.abc import Callable

import pytest

from commerce_coordinator.core.crash_points import CRASH_POINTS

from .points import Deaths, in_a_row
from .surviving import Story

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("second", CRASH_POINTS)
@pytest.mark.parametrize("first", CRASH_POINTS)
def test_processes_killed_at_two_points(first: str, second: str, stories: Callable[[Deaths], Story]) -> None:
    assert stories(in_a_row(first, second))["settled"]
