"""What a contract carries fits what a receiver takes, or it does not, or nobody can tell."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Optional, TypeVar

import pydantic
import pytest

from commerce_coordinator.core.signals.fitting import Fit, fit, misfits, shown
from commerce_coordinator.payloads.base import Payload

T = TypeVar("T")


class Seat:
    pass


class Box(Seat):
    pass


@pytest.mark.parametrize(
    ("carried", "taken"),
    [
        (str, str),
        (str, Any),
        (str, object),
        (Box, Seat),
        (bool, int),
        (int, float),
        (str, str | None),
        (str, Optional[str]),  # noqa: UP045 - both ways of writing it
        (str | None, str | None),
        (str | None, None | str),
        (int | str, str | int | None),
        (None, str | None),
        (Annotated[str, "of a buyer"], str),
        (str, Annotated[str, "of a buyer"]),
        (Literal["a", "b"], str),
        (Literal["a"], Literal["a", "b"]),
        (tuple[Box, ...], tuple[Seat, ...]),
        (tuple[Box, ...], Sequence[Seat]),
        (tuple[Box, ...], tuple),
        (list[int], Sequence[float]),
        (dict[str, int], Mapping[str, Any]),
        (dict[str, int], dict),
        (pydantic.AwareDatetime, datetime.datetime),
        (pydantic.AwareDatetime | None, datetime.datetime | None),
        (pydantic.EmailStr, str),
        (uuid.UUID, uuid.UUID),
    ],
)
def test_fits(carried: Any, taken: Any) -> None:
    assert fit(carried, taken) is Fit.YES


@pytest.mark.parametrize(
    ("carried", "taken"),
    [
        (str, int),
        (int, str),
        (float, int),
        (Seat, Box),
        (str | None, str),
        (int | str, int),
        (str, None),
        (str, Literal["a"]),
        (Literal["a", "c"], Literal["a", "b"]),
        (Literal["a"], int),
        (tuple[Seat, ...], tuple[Box, ...]),
        (tuple[int, ...], list[int]),
        (tuple[str, ...], Sequence[int]),
        (dict[str, int], dict[str, str]),
        (pydantic.AwareDatetime, str),
        (datetime.date, datetime.datetime),
        (uuid.UUID, str),
    ],
)
def test_does_not_fit(carried: Any, taken: Any) -> None:
    assert fit(carried, taken) is Fit.NO


@pytest.mark.parametrize(
    ("carried", "taken"), [(Any, str), (T, str), (str, T), (list[T], list[int]), (pydantic.SecretStr, str)]
)
def test_nobody_can_tell(carried: Any, taken: Any) -> None:
    assert fit(carried, taken) is Fit.UNKNOWN


class SeatSold(Payload):
    order: str
    row: int | None = None
    anything: Any = None


def test_only_what_both_name_is_compared() -> None:
    def take(sender: int, order: int, row: int | None, other: bytes = b"", **rest: str) -> None:
        pass

    assert misfits(SeatSold, take) == (["order: int, where the contract carries str"], [])


def test_what_cannot_be_told_is_apart() -> None:
    def take(order, anything: str) -> None:  # type: ignore[no-untyped-def]
        pass

    assert misfits(SeatSold, take) == ([], ["anything: str, where the contract carries Any"])


@pytest.mark.parametrize("function", [len, print])
def test_function_without_annotations_fits(function: Any) -> None:
    assert misfits(SeatSold, function)[0] == []


@pytest.mark.parametrize(
    ("annotation", "text"),
    [(str, "str"), (str | None, "str | None"), (tuple[int, ...], "tuple[int, ...]"), (Any, "Any"), (None, "None")],
)
def test_types_are_shown_as_somebody_would_write_them(annotation: Any, text: str) -> None:
    assert shown(annotation) == text
