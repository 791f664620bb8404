"""One list of all that waits for somebody: every kind is in it, each filter finds what it says, and it stays quick."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.console import dead_letters
from commerce_coordinator.console.dead_letters import Filter, WrongFilter, counted, every, find
from commerce_coordinator.console.receiver_names import UnknownName
from commerce_coordinator.core import ids
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.inbox.models import InboxEvent

from .test_admin_rows import AT, SEAT_RESERVED, delivery, dispatch, stage, story  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.database]

State = Delivery.State


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One a minute: dead, failed, unrouted, and a second dead one of another receiver and error."""
    monkeypatch.setattr(ids, "_last", 0)  # keys follow a clock that goes back
    found: dict[str, Any] = {}
    with time_machine.travel(AT, tick=False) as clock:
        found["venue"] = story(1).venue
        clock.shift(60)
        found["failed"] = InboxEvent.objects.create(
            provider="shop", event_id="evt_f", event_type="seat.sold", state="failed", reason="seat is missing."
        )
        clock.shift(60)
        found["unrouted"] = dispatch("shop.signals.nobody_wants", 3, unrouted=True)
        clock.shift(60)
        sold = dispatch(SEAT_RESERVED, 4)
        found["mail"] = delivery(sold, "send_mail", state=State.DEAD, error_class="Retry")
    return found


def names(letters: dict[str, Any], rows: Any) -> list[str]:
    by_key = {row.pk: name for name, row in letters.items()}
    return [by_key[row.pk] for row in rows]


def test_all_kinds_stand_in_one_list_newest_first(letters: dict[str, Any]) -> None:
    assert names(letters, find(Filter(), limit=10)) == ["mail", "unrouted", "failed", "venue"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"kind": "delivery"}, ["mail", "venue"]),
        ({"kind": "event"}, ["failed"]),
        ({"kind": "dispatch"}, ["unrouted"]),
        ({"receiver": "shop.tasks.send_mail"}, ["mail"]),
        ({"error": "GiveUp"}, ["venue"]),
        ({"signal": SEAT_RESERVED}, ["mail", "venue"]),
        ({"signal": "shop.signals.nobody_wants"}, ["unrouted"]),
        ({"signal": SEAT_RESERVED, "error": "Retry"}, ["mail"]),
        ({"subject": "EDX-1"}, ["venue"]),
        ({"subject": "EDX-3"}, ["unrouted"]),
        ({"subject": "EDX-1", "error": "Retry"}, []),
        ({"provider": "shop"}, ["failed"]),
        ({"provider": "other"}, []),
        ({"since": "2026-03-01T12:02:00"}, ["mail", "unrouted"]),
        ({"until": "2026-03-01T12:02:00"}, ["failed", "venue"]),
        ({"since": "2026-03-01T13:01:30+01:00", "until": "2026-03-01T12:02:30Z"}, ["unrouted"]),
        ({"subject": "  ", "kind": ""}, ["mail", "unrouted", "failed", "venue"]),
    ],
    ids=str,
)
def test_a_filter_finds_what_it_says(letters: dict[str, Any], told: dict[str, str], expected: list[str]) -> None:
    assert names(letters, find(Filter.read(told), limit=10)) == expected


def test_an_age_counts_from_now(letters: dict[str, Any]) -> None:
    with time_machine.travel(AT + timedelta(minutes=3, seconds=30), tick=False):
        assert names(letters, find(Filter.read({"since": "2m"}), limit=10)) == ["mail", "unrouted"]
        assert len(find(Filter.read({"since": "1d"}), limit=10)) == 4


@pytest.mark.needs_plugins("lms")
def test_a_receiver_may_be_called_by_its_short_name() -> None:
    found = Filter.read({"receiver": "lms.enroll_learner"})
    assert found.receiver == "commerce_coordinator.plugins.lms.tasks.enroll_learner"
    assert Filter.read({"signal": "lms.lms_learner_enrolled"}).signal.endswith("lms.signals.lms_learner_enrolled")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"kind": "letter"}, "kind is 'letter'; it must be one of delivery, event, dispatch"),
        ({"colour": "red"}, "There is no filter 'colour'. There are: kind, provider,"),
        ({"since": "yesterday"}, "since is 'yesterday'; it must be an age such as 90m"),
        ({"until": "2026-13-01"}, "until is '2026-13-01'"),
        ({"since": "999999999d"}, "since is"),
        ({"since": "999999d"}, "since is '999999d'"),
    ],
)
def test_a_filter_that_cannot_be_read_says_what_would_be_right(told: dict[str, str], says: str) -> None:
    with pytest.raises(WrongFilter) as refused:
        Filter.read(told)
    assert says in str(refused.value)


def test_an_unknown_receiver_is_no_empty_list(letters: dict[str, Any]) -> None:
    with pytest.raises(UnknownName, match=r"No receiver is named 'shop.tasks.send_male'"):
        Filter.read({"receiver": "shop.tasks.send_male"})


def test_a_filter_survives_being_written_and_read() -> None:
    wanted = Filter(kind="delivery", error="Retry", since=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert Filter.read(wanted.as_text()) == wanted


def test_what_died_after_the_page_was_shown_is_not_meant(letters: dict[str, Any]) -> None:
    Delivery.objects.filter(pk=letters["mail"].pk).update(settled_at=AT + timedelta(hours=1))
    wanted = Filter(kind="delivery", ended_by=AT + timedelta(minutes=30))
    assert names(letters, find(wanted, limit=10)) == ["venue"]


def test_what_came_in_after_the_page_was_shown_is_not_meant(letters: dict[str, Any]) -> None:
    """Nobody sets aside an event or a dispatch that he has not seen."""
    shown = AT + timedelta(seconds=90)
    assert names(letters, find(Filter(kind="event", ended_by=shown), limit=10)) == ["failed"]
    assert names(letters, find(Filter(kind="dispatch", ended_by=shown), limit=10)) == []
    assert names(letters, find(Filter(kind="event", ended_by=AT), limit=10)) == []
    counts, _ = counted(Filter(kind="dispatch", ended_by=shown + timedelta(seconds=30)))
    assert sum(counts.values()) == 1


def test_pages_and_batches_neither_repeat_nor_miss_one(letters: dict[str, Any]) -> None:
    for number in range(10, 20):
        dispatch("shop.signals.nobody_wants", number, unrouted=True)
    whole = [row.pk for row in find(Filter(), limit=100)]
    assert len(whole) == 14
    assert [row.pk for row in every(Filter(), batch=3)] == whole
    assert [row.pk for row in find(Filter(), before=whole[4], limit=3)] == whole[5:8]


def test_they_are_counted_by_what_and_why(letters: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    delivery(dispatch(SEAT_RESERVED, 5), "send_mail", state=State.DEAD, error_class="Retry")
    counts, more = counted(Filter())
    assert counts == {
        ("delivery", "shop.send_mail", "Retry"): 2,
        ("delivery", "shop.tell_venue", "GiveUp"): 1,
        ("event", "shop seat.sold", "seat is missing."): 1,
        ("dispatch", "shop.nobody_wants", ""): 1,
    }
    assert not more
    monkeypatch.setattr(dead_letters, "MOST_COUNTED", 2)
    counts, more = counted(Filter())
    assert (sum(counts.values()), more) == (2, True)


@pytest.mark.parametrize("told", [{}, {"error": "Retry"}, {"subject": "EDX-4"}, {"signal": SEAT_RESERVED}], ids=str)
def test_a_page_takes_as_many_statements_for_fifty_as_for_five(told: dict[str, str]) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            find(Filter.read(told), limit=100)
        return len(captured)

    def more(numbers: range) -> None:
        for number in numbers:
            InboxEvent.objects.create(provider="shop", event_id=f"evt_f{number}", event_type="t", state="failed")
            dispatch("shop.signals.nobody_wants", number, unrouted=True, subject="EDX-4")
            sold = dispatch(SEAT_RESERVED, number, subject="EDX-4")
            delivery(sold, "send_mail", state=State.DEAD, error_class="Retry")

    more(range(5))
    few = statements()
    more(range(5, 50))
    assert statements() == few <= 7
