"""Signals and receivers are documented where they are defined, and nowhere else."""

import pytest

from commerce_coordinator.core.signals import documentation, registry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.base import Payload


class SeatSold(Payload):
    """A seat was sold,
    and paid for.

    By whom is not told.
    """


#: The hall is full.
#: Once per evening.
hall_filled = CoordinatorSignal(SeatSold, name=f"{__name__}.hall_filled")
hall_emptied = CoordinatorSignal(SeatSold, name=f"{__name__}.hall_emptied")
#: Typed, too.
hall_closed: CoordinatorSignal = CoordinatorSignal(name=f"{__name__}.hall_closed")
hall_opened = CoordinatorSignal(name=f"{__name__}.hall_opened")


@pytest.mark.parametrize(
    ("signal", "text"),
    [
        (hall_filled, "The hall is full. Once per evening."),
        (hall_emptied, "A seat was sold, and paid for."),
        (hall_closed, "Typed, too."),
        (hall_opened, ""),
    ],
)
def test_comment_stands_above_the_docstring_of_the_contract(signal: CoordinatorSignal, text: str) -> None:
    assert documentation.of_signal(signal) == text


def test_signal_of_no_module_says_nothing() -> None:
    assert documentation.of_signal(CoordinatorSignal(name="test_nowhere.signals.seat_sold")) == ""


def test_each_shipped_signal_is_documented() -> None:
    shipped = {
        name: documentation.of_signal(signal)
        for name, signal in registry.by_name().items()
        if name.startswith("commerce_coordinator.plugins.") and ".tests." not in name and ".demo_lms." not in name
    }
    assert [name for name, text in shipped.items() if not text] == []


def take_note() -> None:
    """Take note of it. In a book.

    Somewhere.
    """


def test_receiver_is_its_first_sentence() -> None:
    assert documentation.of_receiver("x.take_note", take_note) == "Take note of it."
    assert documentation.of_receiver("x.nothing") == ""
