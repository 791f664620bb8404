"""What went along each edge of the map: among the newest rows of a day, in two statements, on every database."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.console import flow_stats
from commerce_coordinator.core import ids
from commerce_coordinator.core.deliveries.models import Delivery

from .test_admin_rows import AT, SEAT_RESERVED, SEAT_SOLD, delivery, dispatch, stage, story  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.database]

State = Delivery.State
RESERVE, VENUE, TICKET = (f"shop.tasks.{name}" for name in ("reserve_seat", "tell_venue", "send_ticket"))
LATER = AT + timedelta(hours=2)


@pytest.fixture(autouse=True)
def keys_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when it goes back."""
    monkeypatch.setattr(ids, "_last", 0)


def seats(*states: str, **values: Any) -> None:
    """A sold seat for each state of its delivery; now."""
    for number, state in enumerate(states):
        sold = dispatch(SEAT_SOLD, number, dedupe_key=f"{ids.uuid7()}")
        delivery(sold, "reserve_seat", state=state, **values)


def test_each_route_and_each_sender_is_counted() -> None:
    with time_machine.travel(AT, tick=False):
        for number in (1, 2, 3):
            story(number)
        dispatch("shop.signals.nobody_wants", 4, unrouted=True, sender="shop.views.Till")
    found = flow_stats.of_last_day(LATER)
    assert {name: (each.dispatches, each.unrouted) for name, each in found.signals.items()} == {
        SEAT_SOLD: (3, 0),
        SEAT_RESERVED: (3, 0),
        "shop.signals.nobody_wants": (1, 1),
    }
    assert {route: each.total for route, each in found.routes.items()} == {
        (SEAT_SOLD, RESERVE): 3,
        (SEAT_RESERVED, VENUE): 3,
        (SEAT_RESERVED, TICKET): 3,
    }
    assert found.sends == {
        ("", SEAT_SOLD): 3,
        (RESERVE, SEAT_RESERVED): 3,
        ("shop.views.Till", "shop.signals.nobody_wants"): 1,
    }
    assert (found.since, found.bounded) == (LATER - timedelta(days=1), False)


def test_error_rate_is_of_those_tried_and_counts_what_is_retried() -> None:
    with time_machine.travel(AT, tick=False):
        seats(*[State.SUCCEEDED] * 5, State.DEAD, State.CANCELLED)
        seats(State.PENDING, State.RUNNING)
        seats(State.PENDING, State.RUNNING, error_class="Retry")
    found = flow_stats.of_last_day(LATER).routes[SEAT_SOLD, RESERVE]
    assert (found.succeeded, found.dead, found.retrying, found.waiting, found.cancelled) == (5, 1, 2, 2, 1)
    assert found.error_rate == 3 / 8
    assert flow_stats.Delivered(waiting=1).error_rate is None


def test_median_is_from_creation_until_settled() -> None:
    with time_machine.travel(AT, tick=False):
        for milliseconds in (90, 180, 90_000):
            seats(State.SUCCEEDED, created_at=AT, settled_at=AT + timedelta(milliseconds=milliseconds))
        seats(State.PENDING)
        seats(State.CANCELLED, created_at=AT, settled_at=AT + timedelta(hours=1))
    found = flow_stats.of_last_day(LATER).routes[SEAT_SOLD, RESERVE]
    assert found.median == 180
    assert flow_stats.Delivered(waiting=1).median is None


def test_what_a_receiver_gets_of_two_signals_is_added() -> None:
    one = flow_stats.Delivered(kind="task", succeeded=2, milliseconds=[10, 20], last_seen=AT)
    other = flow_stats.Delivered(kind="task", dead=1, waiting=1, milliseconds=[30], last_seen=LATER)
    both = one + other
    assert (both.total, both.error_rate, both.median, both.last_seen) == (4, 1 / 3, 20, LATER)
    assert (one + flow_stats.Delivered()).last_seen == AT


def test_last_seen_is_that_of_the_newest() -> None:
    for moment in (AT, AT + timedelta(hours=1)):
        with time_machine.travel(moment, tick=False):
            seats(State.SUCCEEDED, created_at=moment, settled_at=moment)
    found = flow_stats.of_last_day(LATER).routes[SEAT_SOLD, RESERVE]
    assert found.last_seen is not None
    assert abs(found.last_seen - (AT + timedelta(hours=1))) <= timedelta(milliseconds=1)


def test_older_rows_than_a_day_are_not_counted() -> None:
    with time_machine.travel(AT, tick=False):
        story(1)
    found = flow_stats.of_last_day(AT + timedelta(days=1, seconds=1))
    assert (found.signals, found.routes, found.sends) == ({}, {}, {})


def test_parent_that_is_older_than_a_day_still_says_who_sent() -> None:
    with time_machine.travel(AT, tick=False):
        reserve = story(1).reserve
    with time_machine.travel(AT + timedelta(days=2), tick=False):
        dispatch(SEAT_RESERVED, 2, parent=reserve, created_at=AT + timedelta(days=2))
    assert flow_stats.of_last_day(AT + timedelta(days=2, hours=1)).sends == {(RESERVE, SEAT_RESERVED): 1}


def test_only_the_newest_rows_are_counted_and_it_is_told_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_stats, "MOST_COUNTED", 4)
    for minutes in range(6):
        moment = AT + timedelta(minutes=minutes)
        with time_machine.travel(moment, tick=False):
            sold = dispatch(SEAT_SOLD, minutes, created_at=moment)
            delivery(sold, "reserve_seat", state=State.SUCCEEDED, created_at=moment, settled_at=moment)
    found = flow_stats.of_last_day(LATER)
    assert found.signals[SEAT_SOLD].dispatches == found.routes[SEAT_SOLD, RESERVE].total == 4
    assert found.bounded
    assert abs(found.since - (AT + timedelta(minutes=2))) <= timedelta(milliseconds=1)


def test_statements_are_two_however_many_rows_there_are() -> None:
    for count in (0, 1, 20):
        for number in range(count):
            story(100 * count + number)
        with CaptureQueriesContext(connection) as captured:
            flow_stats.of_last_day(LATER)
        assert len(captured) == 2


def test_both_go_along_the_key_and_stop_at_the_bound() -> None:
    for number in range(1, 13):
        story(number)
    with CaptureQueriesContext(connection) as captured:
        flow_stats.of_last_day(LATER)
    for each in captured.captured_queries:
        assert f"LIMIT {flow_stats.MOST_COUNTED}" in each["sql"]
        with connection.cursor() as cursor:
            cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + each["sql"])
            names = [column[0] for column in cursor.description or ()]
            for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
                if connection.vendor == "sqlite":
                    assert "SCAN" not in str(row["detail"]) and "TEMP B-TREE" not in str(row["detail"]), row
                else:
                    assert row["key"] == "PRIMARY" and "filesort" not in str(row["Extra"]), row
