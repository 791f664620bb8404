"""Two accounts with secrets of their own, a clock that stands still, and a receiver that belongs to these tests."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.testing import routes_as

from ..table import signals_of_the_table
from .stripe_events import NOON, SECRET


def take_note(**values: Any) -> None:
    """Where payments go in these tests."""


@pytest.fixture(autouse=True)
def stage(settings: Any) -> Iterator[None]:
    settings.CC_STRIPE_SECRETS = {"": [SECRET], "shop": ["whsec_shop"]}
    with (
        time_machine.travel(NOON, tick=False),
        routes_as({signal.name: [f"{__name__}.take_note"] for signal in signals_of_the_table()}),
    ):
        yield
