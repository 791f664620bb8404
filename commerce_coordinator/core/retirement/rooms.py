"""Who keeps something of people, and how it is erased."""

import dataclasses
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

Thing = TypeVar("Thing")

#: Rows per statement.
BATCH = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Person:
    """Who retires. `names`: his user names, e-mail addresses and the like, in small letters."""

    lms_user_id: int
    names: frozenset[str] = frozenset()
    #: The dispatch that tells the plugins of it; it stays until they know.
    told: uuid.UUID | None = None

    def is_called(self, text: str) -> bool:
        return text.casefold() in self.names


@dataclasses.dataclass(frozen=True, kw_only=True)
class Room:
    """One place where something of people is kept.

    names: what the person with this LMS user id is called here; asked before anything is erased.
    erase: erase what an index finds; returns how many rows were his. May run any number of times.
    search: read on from `after` ("": from the start), erase what is of any of these people, and return where to go on,
        or None at the end. Reads a bounded number of rows.
    """

    name: str
    names: Callable[[int], Iterable[str]] = lambda lms_user_id: ()
    erase: Callable[[Person], int] = lambda person: 0
    search: Callable[[Sequence[Person], str], str | None] | None = None


rooms: dict[str, Room] = {}


def register(room: Room) -> None:
    rooms[room.name] = room


def chunks(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Lists of BATCH at most."""
    rest = iter(things)
    while chunk := list(islice(rest, BATCH)):
        yield chunk


def texts_of(value: Any) -> Iterator[str]:
    """Every text of a JSON structure, numbers as texts too, keys not."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, str):
            yield each
        elif isinstance(each, int) and not isinstance(each, bool):
            yield str(each)
