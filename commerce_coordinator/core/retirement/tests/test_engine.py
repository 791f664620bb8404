"""How a retirement goes on: searched to the end of every room, then forgotten."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from commerce_coordinator.core.retirement import engine, rooms
from commerce_coordinator.core.retirement.chores import go_on_with_retirements
from commerce_coordinator.core.retirement.models import Retirement
from commerce_coordinator.core.retirement.rooms import Person, Room

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Shelf:
    """A room with ten boxes, one looked into per step."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, tuple[int, ...]]] = []
        self.known = {"ann"}
        self.his = 0

    def names(self, lms_user_id: int) -> set[str]:
        return set(self.known)

    def erase(self, person: Person) -> int:
        self.known.clear()
        return self.his

    def search(self, people: Sequence[Person], after: str) -> str | None:
        self.seen.append((after, tuple(each.lms_user_id for each in people)))
        box = int(after or 0) + 1
        return str(box) if box < 10 else None


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    found = Shelf()
    room = Room(name="shelf", names=found.names, erase=found.erase, search=found.search)
    monkeypatch.setattr(rooms, "rooms", {})
    monkeypatch.setattr(engine, "rooms", {"shelf": room})
    yield found


def test_name_is_kept_to_search_for_before_it_is_erased(shelf: Shelf) -> None:
    engine.begin(1)
    assert engine.begin(1).names == ["ann"]
    assert Retirement.objects.count() == 1


def test_two_people_are_searched_for_together_and_nobodys_box_is_left_out(shelf: Shelf) -> None:
    first = engine.begin(1)
    engine.search([first], steps=4)
    second = engine.begin(2)
    engine.search([first, second], steps=30)
    assert [first.places, second.places] == [{"shelf": None}, {"shelf": None}]
    for person in (1, 2):
        assert {after for after, people in shelf.seen if person in people} == {"", *map(str, range(1, 10))}
    # From where they meet they go on as one.
    assert len(shelf.seen) == 4 + 4 + 6


def test_retirement_is_forgotten_when_nothing_is_left_to_find(shelf: Shelf) -> None:
    retirement = engine.begin(1)
    engine.search([retirement], steps=10)
    assert not engine.finish(retirement, 0), "what ran when it was asked for may still send"
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert not engine.finish(retirement, 1), "something of him was found just now"
        assert engine.finish(retirement, 0)
    assert not Retirement.objects.exists()


def test_retirement_waits_until_every_room_is_searched(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commerce_coordinator.core.retirement.chores.MOST_STEPS", 6)
    engine.begin(1)
    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert go_on_with_retirements() == 0
        assert go_on_with_retirements() == 1
        assert go_on_with_retirements() == 0


def test_relay_with_nobody_to_retire_asks_once(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        go_on_with_retirements()
