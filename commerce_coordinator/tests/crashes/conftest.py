"""Instances that crash side by side while pytest asks for one outcome after the other."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .field import Field
from .points import Deaths, alone, in_a_row
from .surviving import Story

#: More than there are processors: most of a crash's time is waiting for leases and gaps.
MOST_INSTANCES = 4 * (os.cpu_count() or 2)


@pytest.fixture(scope="module")
def stories(
    size: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Deaths], Story]]:
    """What came of these deaths: a purchase's story. All that the module's tests ask for begins at once."""
    wanted = dict.fromkeys(
        _deaths(item.callspec.params)
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path and item.callspec.params.get("size") == size
    )
    field = Field(size, tmp_path_factory.mktemp(f"crashes-{size}"), min(MOST_INSTANCES, len(wanted)))
    begun = {deaths: field.survive(deaths) for deaths in wanted}
    yield lambda deaths: begun[deaths].result()
    field.stop()


def _deaths(parameters: dict[str, Any]) -> Deaths:
    if "second" in parameters:
        return in_a_row(parameters["first"], parameters["second"])
    return alone(parameters["point"])
