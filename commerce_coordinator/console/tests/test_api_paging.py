"""Pages of the API's lists: nothing twice, nothing left out, and none costs more on a huge table than on a small."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.console import dead_letters
from commerce_coordinator.console.api import finding
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .api_calls import Caller
from .test_admin_queries import TABLES, ours, plan
from .test_admin_rows import SEAT_SOLD, dispatch, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

TRACE = f"{3:032x}"
KEY = "0190a6b2-7c3e-7000-8000-000000000000"
VENUE = "shop.tasks.tell_venue"

#: Path, filters, and the index by which it must be found; "" is the order of the keys.
QUERIES: list[tuple[str, dict[str, str], str]] = [
    ("events/", {}, ""),
    ("events/", {"state": "failed"}, "event_by_state"),
    ("events/", {"state": "failed", "since": "1h", "cursor": KEY}, "event_by_state"),
    ("events/", {"event_id": "evt_3", "state": "sent", "provider": "shop", "account": "a"}, "event_by_event_id"),
    ("events/", {"trace_id": TRACE, "state": "sent", "since": "1h", "cursor": KEY}, "event_by_trace"),
    ("events/", {"provider": "shop"}, ""),
    ("events/", {"provider": "shop", "account": "a", "state": "failed"}, "event_by_state"),
    ("dispatches/", {}, ""),
    ("dispatches/", {"signal": SEAT_SOLD}, ""),
    ("dispatches/", {"signal": SEAT_SOLD, "unrouted": "true"}, "dispatch_by_unrouted"),
    ("dispatches/", {"unrouted": "true", "until": "1h"}, "dispatch_by_unrouted"),
    ("dispatches/", {"subject": "EDX-3", "person": "p", "unrouted": "false", "cursor": KEY}, "dispatch_by_subject"),
    ("dispatches/", {"person": "person-3", "signal": SEAT_SOLD}, "dispatch_by_person"),
    ("dispatches/", {"trace_id": TRACE, "subject": "EDX-3"}, "dispatch_by_trace"),
    ("dispatches/", {"event": KEY, "trace_id": TRACE, "unrouted": "true"}, "dispatch_by_event"),
    ("deliveries/", {}, ""),
    ("deliveries/", {"state": "dead"}, "delivery_by_state"),
    ("deliveries/", {"receiver": VENUE, "since": "1h"}, "delivery_by_receiver"),
    ("deliveries/", {"state": "dead", "receiver": VENUE, "cursor": KEY}, "delivery_by_state"),
    ("deliveries/", {"state": "succeeded", "receiver": VENUE}, "delivery_by_receiver"),
    ("deliveries/", {"error": "GiveUp", "signal": SEAT_SOLD}, ""),
    ("deliveries/", {"state": "dead", "signal": SEAT_SOLD}, "delivery_by_state"),
    ("deliveries/", {"subject": "EDX-3", "state": "dead", "receiver": VENUE}, ""),
    ("deliveries/", {"trace_id": TRACE, "person": "person-3", "signal": SEAT_SOLD, "cursor": KEY}, ""),
    ("dead-letters/", {}, "delivery_by_state"),
    ("dead-letters/", {"signal": SEAT_SOLD, "error": "GiveUp"}, "delivery_by_state"),
]


def walk(caller: Caller, path: str, **query: Any) -> list[list[str]]:
    """The ids of each page, to the last."""
    pages, address = [], path
    while address:
        answer = caller.get(address, **({} if pages else query))
        pages.append([each["id"] for each in answer["results"]])
        address = answer["next"]
        assert len(pages) < 50
    return pages


@pytest.mark.database
@pytest.mark.parametrize(("path", "count"), [("events/", 7), ("dispatches/", 14), ("deliveries/", 21)])
def test_pages_show_each_row_once_newest_first(path: str, count: int) -> None:
    for number in range(7):
        story(number)
    pages = walk(Caller("read"), path, page_size=3)
    shown = [each for page in pages for each in page]
    assert len(shown) == len(set(shown)) == count
    assert shown == sorted(shown, reverse=True)
    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)


@pytest.mark.database
@pytest.mark.parametrize("path", ["events/", "deliveries/", "dead-letters/"])
def test_what_comes_in_meanwhile_moves_no_page(path: str) -> None:
    for number in range(6):
        story(number)
    caller = Caller("read")
    whole = [each for page in walk(caller, path, page_size=4) for each in page]
    first = caller.get(path, page_size=4)
    for number in range(10, 16):
        story(number)
    second = walk(caller, first["next"])
    assert [each["id"] for each in first["results"]] + [each for page in second for each in page] == whole


def test_page_size_is_taken_up_to_a_hundred() -> None:
    InboxEvent.objects.bulk_create(
        InboxEvent(provider="shop", event_id=str(number), event_type="t", state="sent", trace_id="0" * 32)
        for number in range(120)
    )
    caller = Caller("read")
    assert len(caller.get("events/")["results"]) == 20
    assert len(caller.get("events/", page_size=1000)["results"]) == 100


def test_next_page_keeps_the_filters() -> None:
    for number in range(5):
        story(number)
    pages = walk(Caller("read"), "deliveries/", state="dead", receiver=VENUE, page_size=2)
    assert [len(page) for page in pages] == [2, 2, 1]


# --- Filters without an index ---


@pytest.mark.database
def test_rare_row_is_found_by_going_on_though_a_page_looks_at_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_WALKED", 3)
    told = [story(number) for number in range(10)]
    InboxEvent.objects.filter(pk=told[1].event.pk).update(provider="rare")
    pages = walk(Caller("read"), "events/", provider="rare")
    assert pages == [[], [], [str(told[1].event.pk)], []]


def test_page_looks_at_so_many_rows_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_WALKED", 3)
    for number in range(10):
        story(number)
    dispatch(SEAT_SOLD, 99)
    for path, query in (("events/", {"provider": "x"}), ("dispatches/", {"signal": "a.b.c"})):
        answer = Caller("read").get(path, **query)
        assert answer["results"] == []
        assert answer["next"] is not None


# --- What a page costs ---


def statements(caller: Caller, path: str, query: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        caller.get(path, **query)
    return [each["sql"] for each in captured]


@pytest.mark.parametrize(("path", "query"), [each[:2] for each in QUERIES], ids=str)
def test_page_takes_as_many_statements_for_many_rows_as_for_few(path: str, query: dict[str, str]) -> None:
    caller = Caller("read")
    query = {name: value for name, value in query.items() if name != "cursor"}
    for number in range(1, 6):
        story(number)
    few = statements(caller, path, query)
    for number in range(6, 40):
        story(number)
    assert len(statements(caller, path, query)) == len(few)
    # Account, two for its rights, whether a receiver is known; then the rows.
    assert len(ours(few)) <= 7, few


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
@pytest.mark.parametrize(("path", "query", "index"), QUERIES, ids=str)
def test_no_page_walks_a_table(path: str, query: dict[str, str], index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_WALKED", 4)
    monkeypatch.setattr(dead_letters, "MOST_WALKED", 4)
    for number in range(1, 13):
        story(number)
    captured = ours(statements(Caller("read"), path, query))
    assert captured
    used = [step for sql in captured for step in plan(sql)]
    assert any(index in step for step in used), used
    for sql in captured:
        for step in plan(sql):
            walked = re.match(r"SCAN (\w+)", step)
            if walked and walked[1] in TABLES:
                # Along an index, up to a LIMIT; and nothing in the WHERE that could make it walk past most rows.
                assert "INDEX" in step and "LIMIT" in sql and "WHERE" not in sql, f"{step}: {sql}"
            # The rows of one order, person or trace are few, and sorted; a state's or a receiver's are not.
            narrow = any(f'"{column}" = ' in sql for column in ("event_id", "trace_id", "subject", "person"))
            assert "TEMP B-TREE" not in step or narrow, f"{step}: {sql}"


LATE: list[tuple[str, dict[str, str]]] = [
    ("events/", {"state": "sent"}),
    ("dispatches/", {"unrouted": "false"}),
    ("dispatches/", {"unrouted": "true"}),
    ("deliveries/", {"state": "dead"}),
    ("dead-letters/", {"kind": "event"}),
    ("dead-letters/", {"kind": "dispatch"}),
    ("dead-letters/", {"kind": "delivery"}),
]


@pytest.mark.database
@pytest.mark.parametrize(("path", "query"), LATE, ids=str)
def test_late_page_reads_no_page_before_it(path: str, query: dict[str, str]) -> None:
    state, unrouted = query.get("state", "failed"), query.get("unrouted") != "false"
    events = InboxEvent.objects.bulk_create(
        InboxEvent(provider="shop", event_id=str(number), event_type="t", state=state, trace_id=f"{number:032x}")
        for number in range(600)
    )
    dispatches = Dispatch.objects.bulk_create(
        Dispatch(signal=SEAT_SOLD, dedupe_key=each.event_id, event=each, unrouted=unrouted, origin="web", trace_id="1")
        for each in events
    )
    deliveries = Delivery.objects.bulk_create(
        Delivery(dispatch=each, receiver=VENUE, kind="task", state="dead") for each in dispatches
    )
    rows: Any = {"event": events, "dispatch": dispatches, "delivery": deliveries}.get(query.get("kind", ""))
    rows = rows or {"events/": events, "dispatches/": dispatches, "deliveries/": deliveries}[path]
    late = {**query, "cursor": str(rows[30].pk), "page_size": "5"}
    (sql,) = [each for each in statements(Caller("read"), path, late) if "LIMIT 6" in each]
    if connection.vendor == "sqlite":
        (step,) = plan(sql)
        assert re.search(r"\((state|unrouted)=\? AND id<\?\)", step), step
        return
    before = _rows_walked()
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert _rows_walked() - before <= 10


def _rows_walked() -> int:
    """Index entries that MariaDB has walked backwards over on our connection."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read_prev'")
        return int(cursor.fetchall()[0][1])


@pytest.mark.parametrize("name", ["event", "dispatch", "delivery"])
def test_single_row_takes_as_many_statements_with_many_linked_rows_as_with_few(name: str) -> None:
    told, caller = story(), Caller("read")
    row: Any = {"event": told.event, "dispatch": told.sold, "delivery": told.venue}[name]
    path = f"{'deliveries' if name == 'delivery' else f'{name}es' if name == 'dispatch' else 'events'}/{row.pk}/"
    few = len(statements(caller, path, {}))
    for number in range(2, 12):
        Dispatch.objects.create(
            signal=SEAT_SOLD, dedupe_key=f"more-{number}", event=told.event, origin="web", trace_id="1" * 32
        )
        Delivery.objects.create(dispatch=told.sold, receiver=f"r{number}", kind="task", state="dead")
    assert len(statements(caller, path, {})) == few
