"""What a contract carries fits what a receiver takes, or it does not, or nobody can tell."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NewType, Optional, Protocol, TypedDict, TypeVar

import pydantic
import pytest
import typing_extensions

from commerce_coordinator.core.signals.fitting import Fit, fit, misfits, shown
from commerce_coordinator.payloads.base import Payload

if TYPE_CHECKING:
    from decimal import Decimal as ForTypeCheckersOnly

T = TypeVar("T")
OrderNumber = NewType("OrderNumber", str)
Count = typing_extensions.TypeAliasType("Count", int)


class Seat:
    pass


class Box(Seat):
    pass


class Pair(pydantic.BaseModel, Generic[T]):
    one: T


class Priced(Protocol):
    def price(self) -> int: ...


class Row(TypedDict):
    number: int


@pytest.mark.parametrize(
    ("carried", "taken"),
    [
        (str, str),
        (str, Any),
        (str, object),
        (Box, Seat),
        (bool, int),
        (int, float),
        (bool, float),
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
        (Literal["a"], Literal["a", "b"] | None),
        (Literal["a", None], str | None),
        (Literal["a", 1], Literal["a"] | int),
        (OrderNumber, str),
        (str, OrderNumber),
        (list[OrderNumber], Sequence[str]),
        (Count, int),
        (int, Count | None),
        (Pair[int], Pair[int]),
        (Pair[int], Pair),
        (Pair[int], pydantic.BaseModel),
        (list[Box], list[Seat]),
        (dict[str, list[Box]], Mapping[str, Sequence[Seat]]),
        (tuple[int, bool], tuple[int, ...]),
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
        (Literal["a", None], str),
        (Literal["a", "c"], Literal["a", "b"] | None),
        (OrderNumber, int),
        (Count, str),
        (Pair[int], Pair[str]),
        (list[Seat], list[Box]),
        (list[int | None], list[int]),
        (tuple[int, str], tuple[int, ...]),
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
    ("carried", "taken"),
    [
        (Any, str),
        (T, str),
        (str, T),
        (list[T], list[int]),
        (pydantic.SecretStr, str),
        (Box, Priced),
        (dict[str, int], Row),
        (tuple[int, ...], tuple[int, int]),
        (str, typing_extensions.LiteralString),
    ],
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


def test_annotation_written_as_a_text_is_looked_up_where_it_stands() -> None:
    def take(order: "OrderNumber", row: "int") -> "NobodyKnows":  # type: ignore[name-defined]  # noqa: F821
        pass

    assert misfits(SeatSold, take) == (["row: int, where the contract carries int | None"], [])


def test_annotation_that_cannot_be_looked_up_hides_no_other() -> None:
    def take(order: "ForTypeCheckersOnly", row: "str", anything: "Any") -> None:
        pass

    wrong, unknown = misfits(SeatSold, take)
    assert wrong == ["row: str, where the contract carries int | None"]
    assert unknown == ["order: ForTypeCheckersOnly, which cannot be looked up (NameError)"]


class Usher:
    order: int  # the object's, not what it is called with

    def __init__(self, order: str = "") -> None:
        pass

    def __call__(self, order: int) -> None:
        pass

    def show(self, order: bytes) -> None:
        pass


def test_whatever_can_be_called_is_judged_by_what_it_is_called_with() -> None:
    def take(order: int, row: bool) -> None:
        pass

    @wraps(take)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        pass

    carries = "where the contract carries str"
    assert misfits(SeatSold, Usher) == ([], [])
    assert misfits(SeatSold, Usher()) == ([f"order: int, {carries}"], [])
    assert misfits(SeatSold, Usher().show) == ([f"order: bytes, {carries}"], [])
    row = "row: bool, where the contract carries int | None"
    assert misfits(SeatSold, partial(take, order=1)) == ([f"order: int, {carries}", row], [])
    assert misfits(SeatSold, wrapped) == ([f"order: int, {carries}", row], [])


@pytest.mark.parametrize("function", [len, print])
def test_function_without_annotations_fits(function: Any) -> None:
    assert misfits(SeatSold, function)[0] == []


@pytest.mark.parametrize(
    ("annotation", "text"),
    [(str, "str"), (str | None, "str | None"), (tuple[int, ...], "tuple[int, ...]"), (Any, "Any"), (None, "None")],
)
def test_types_are_shown_as_somebody_would_write_them(annotation: Any, text: str) -> None:
    assert shown(annotation) == text
