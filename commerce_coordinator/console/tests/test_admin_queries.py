"""Lists cost the same on a small table and on a huge one: by the number of statements, and by their plans."""

import re

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.console.admin import paging, searching
from commerce_coordinator.console.admin.showing import list_of, page_of
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .test_admin_rows import SEAT_SOLD, attempt, client_of, delivery, dispatch, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

MODELS = (InboxEvent, Dispatch, Delivery, Attempt)
TABLES = {model._meta.db_table for model in MODELS}

QUERIES: list[tuple[type[Model], dict[str, str]]] = [
    *((model, {}) for model in MODELS),
    *((model, {"p": "2"}) for model in MODELS),
    *((model, {"o": "3.1"}) for model in MODELS),
    *((model, {"q": "EDX-3"}) for model in MODELS),
    *((model, {"q": "0190a6b2-7c3e-7000-8000-000000000000"}) for model in MODELS),
    (InboxEvent, {"state": "failed"}),
    (InboxEvent, {"state": "sent", "q": "evt_3"}),
    (Dispatch, {"unrouted": "1"}),
    (Dispatch, {"signal": SEAT_SOLD}),
    (Dispatch, {"signal": SEAT_SOLD, "unrouted": "1"}),
    (Delivery, {"state": "dead"}),
    (Delivery, {"receiver": "shop.tasks.tell_venue"}),
    (Delivery, {"state": "dead", "receiver": "shop.tasks.tell_venue"}),
    (Delivery, {"state": "succeeded", "receiver": "shop.tasks.reserve_seat"}),
]


def statements(client: Client, address: str, query: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address, query).status_code == 200
    return [each["sql"] for each in captured]


def plan(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), [])
        return [row[3] for row in cursor.fetchall()]


def ours(captured: list[str]) -> list[str]:
    return [sql for sql in captured if any(f'"{table}"' in sql for table in TABLES)]


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_as_many_statements_for_fifty_rows_as_for_five(model: type[Model]) -> None:
    client = client_of(superuser=True)
    for number in range(1, 6):
        story(number)
    few = statements(client, list_of(model), {})
    for number in range(6, 51):
        story(number)
    assert model._default_manager.count() >= 50
    many = statements(client, list_of(model), {})
    assert len(many) == len(few)
    assert len(ours(many)) <= 4


def test_a_page_takes_as_many_statements_for_many_linked_rows_as_for_few() -> None:
    told = story()
    client = client_of(superuser=True)
    statements(client, page_of(Delivery, told.reserve.pk), {})  # a process looks its content types up once
    few = statements(client, page_of(Delivery, told.reserve.pk), {})
    for number in range(2, 12):
        attempt(told.reserve, Attempt.Outcome.LOST, number=number)
        sent = dispatch("shop.signals.seat_reserved", number, parent=told.reserve)
        delivery(sent, "tell_venue")
    assert len(statements(client, page_of(Delivery, told.reserve.pk), {})) == len(few)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
@pytest.mark.parametrize(("model", "query"), QUERIES, ids=str)
def test_no_statement_of_a_list_walks_a_table(
    model: type[Model], query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 20)
    monkeypatch.setattr("commerce_coordinator.console.admin.records.RecordAdmin.list_per_page", 5)
    for number in range(1, 13):
        story(number)
    captured = ours(statements(client_of(superuser=True), list_of(model), query))
    assert captured
    for sql in captured:
        for step in plan(sql):
            _check(step, sql)


def _check(step: str, sql: str) -> None:
    walked = re.match(r"SCAN (\w+)", step)
    if walked and walked[1] in TABLES:
        # Along an index, up to a LIMIT; and nothing in the WHERE that could make it walk past most rows.
        assert "INDEX" in step, f"{step}: {sql}"
        assert "LIMIT" in sql, f"{step}: {sql}"
        assert "WHERE" not in sql, f"{step}: {sql}"
    assert "LIKE" not in sql
    assert "DISTINCT" not in sql
    # Only what one narrow look-up found is sorted.
    assert "TEMP B-TREE" not in step or f"LIMIT {searching.MOST_FOUND}" in sql, f"{step}: {sql}"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
@pytest.mark.parametrize("pick", ["event", "sold", "reserve", "reserve_attempt", "reserved", "venue"])
def test_no_statement_of_a_page_walks_a_table(pick: str) -> None:
    told = story()
    row: Model = getattr(told, pick)
    for sql in ours(statements(client_of(superuser=True), page_of(type(row), row.pk), {})):
        for step in plan(sql):
            assert not re.match(r"SCAN (\w+)", step) or step.split()[1] not in TABLES, f"{step}: {sql}"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"state": "dead"}, "delivery_by_state"),
        ({"receiver": "shop.tasks.tell_venue"}, "delivery_by_receiver"),
        ({"state": "dead", "receiver": "shop.tasks.tell_venue"}, "delivery_by_state"),
        ({"state": "pending", "receiver": "shop.tasks.tell_venue"}, "delivery_by_state"),
        ({"state": "succeeded", "receiver": "shop.tasks.tell_venue"}, "delivery_by_receiver"),
    ],
)
def test_two_filters_go_by_the_index_that_finds_fewer(query: dict[str, str], index: str) -> None:
    story()
    captured = statements(client_of(superuser=True), list_of(Delivery), query)
    filtered = [sql for sql in ours(captured) if "WHERE" in sql and "deliveries_delivery" in sql.partition("WHERE")[0]]
    assert len(filtered) == 2  # the count and the rows
    for sql in filtered:
        steps = plan(sql)
        assert any(index in step for step in steps), steps
        assert not any("TEMP B-TREE" in step for step in steps), steps
        # The other one is off its index for every planner, not by this one's luck.
        assert ("COALESCE" in sql) is (len(query) == 2)


def test_counting_stops_at_the_cap_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 3)
    monkeypatch.setattr("commerce_coordinator.console.admin.records.RecordAdmin.list_per_page", 2)
    for number in range(1, 6):
        story(number)
    client = client_of(superuser=True)
    response = client.get(list_of(InboxEvent))
    assert "3+ events" in response.content.decode()
    assert response.context["cl"].paginator.num_pages == 2
    story_count = client.get(list_of(InboxEvent), {"q": "EDX-1"}).context["cl"]
    assert str(story_count.result_count) == "1"


def test_the_cap_is_readable() -> None:
    assert str(paging.AtLeast(10_000)) == "10,000+"
    assert paging.AtLeast(10_000) == 10_000


def test_a_count_has_its_limit_inside() -> None:
    story()
    captured = statements(client_of(superuser=True), list_of(Delivery), {})
    counts = [sql for sql in ours(captured) if "COUNT(" in sql]
    assert len(counts) == 1
    assert f"LIMIT {paging.MOST_COUNTED + 1}" in counts[0]


def test_signals_are_filtered_among_the_newest_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_COUNTED", 4)
    keys = [story(number).sold.pk for number in range(1, 6)]
    shown = client_of(superuser=True).get(list_of(Dispatch), {"signal": SEAT_SOLD}).context["cl"].result_list
    assert [each.pk for each in shown] == keys[:2:-1]
