"""The queries that run all day must not grow with the tables: each is answered by an index, on every database."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commerce_coordinator.core import trace
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.inbox.models import InboxEvent

# transaction: ANALYZE TABLE commits on MariaDB, whatever was open.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ROWS = 400


@pytest.fixture
def history(transactional_db: None) -> str:
    """Settled stories, and one open. Returns the event id of one."""
    now = timezone.now()
    events = [
        InboxEvent(provider="p", event_id=f"evt_{n}", event_type="t", state="sent", trace_id=uuid.uuid4().hex)
        for n in range(ROWS)
    ]
    InboxEvent.objects.bulk_create(events)
    dispatches = [
        Dispatch(
            signal="s",
            dedupe_key=str(n),
            subject=f"EDX-{n}",
            person=f"person-{n}",
            origin="web",
            event=event,
            trace_id=event.trace_id,
        )
        for n, event in enumerate(events)
    ]
    Dispatch.objects.bulk_create(dispatches)
    deliveries = [
        Delivery(dispatch=each, receiver="r", kind="task", state="succeeded", wake_at=None, settled_at=now)
        for each in dispatches
    ]
    deliveries[-1].state, deliveries[-1].wake_at = "pending", now
    Delivery.objects.bulk_create(deliveries)
    Attempt.objects.bulk_create(
        Attempt(delivery=each, generation=0, number=1, outcome="succeeded", started_at=now, ended_at=now)
        for each in deliveries
    )
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE TABLE inbox_inboxevent, deliveries_dispatch, deliveries_delivery, deliveries_attempt"
            )
            cursor.fetchall()
    return events[7].event_id


def assert_indexed(query: QuerySet[Any], *, rows: int = 20) -> None:
    """SQLite searches by an index (or walks one under a LIMIT); MariaDB expects to read few rows."""
    plan = query.explain()
    if connection.vendor == "sqlite":
        for line in plan.splitlines():
            ordered_walk = "USING INDEX" in line and query.query.is_sliced and not query.query.where
            assert "SCAN" not in line or ordered_walk, plan
            assert "USE TEMP B-TREE FOR ORDER BY" not in line, plan
    else:
        sql, params = query.query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + sql, params)
            names = [column[0] for column in cursor.description or ()]
            for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
                few = row["rows"] is None or int(row["rows"]) <= rows
                assert few or (row["type"] == "index" and query.query.is_sliced), row
                assert "filesort" not in (row["Extra"] or ""), row


def newest(state: str) -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=state).order_by("-id")[:50]


QUERIES: dict[str, Callable[[], QuerySet[Any]]] = {
    "relay: what is due": lambda: Delivery.objects.filter(wake_at__lte=timezone.now()).order_by("wake_at")[:500],
    "claim: a delivery and its dispatch": lambda: Delivery.objects.select_related("dispatch").filter(pk=uuid7())[:1],
    "dispatch: sent before?": lambda: Dispatch.objects.filter(signal="s", dedupe_key="17"),
    "inbox: kept before?": lambda: InboxEvent.objects.filter(provider="p", account="", event_id="evt_17"),
    "list: dead deliveries": lambda: newest("dead"),
    "list: newest deliveries": lambda: Delivery.objects.order_by("-id")[:50],
    "list: a receiver's": lambda: Delivery.objects.filter(receiver="other").order_by("-id")[:50],
    "list: failed events": lambda: InboxEvent.objects.filter(state="failed").order_by("-id")[:50],
    "list: unrouted dispatches": lambda: Dispatch.objects.filter(unrouted__in=[True]).order_by("-id")[:50],
    "search: order number": lambda: Dispatch.objects.filter(subject="EDX-17"),
    "search: person": lambda: Dispatch.objects.filter(person="17"),
    "retention: bodies to empty": lambda: InboxEvent.objects.filter(
        body_kept__in=[True], received_at__lt=timezone.now().replace(year=2000)
    ),
    "retention: settled long ago": lambda: Delivery.objects.filter(settled_at__lt=timezone.now().replace(year=2000)),
}


def test_no_query_that_runs_all_day_grows_with_the_tables(history: str) -> None:
    grown = {}
    for name, query in QUERIES.items():
        try:
            assert_indexed(query())
        except AssertionError as error:
            grown[name] = str(error)
    assert grown == {}


REFERENCES: dict[str, Callable[[InboxEvent], str]] = {
    "event id": lambda event: event.event_id,
    "trace id": lambda event: event.trace_id,
    "order number": lambda event: event.dispatches.get().subject,
    "person": lambda event: event.dispatches.get().person,
    "row of an event": lambda event: str(event.pk),
    "row of a dispatch": lambda event: str(event.dispatches.get().pk),
    "row of a delivery": lambda event: str(event.dispatches.get().deliveries.get().pk),
    "row of an attempt": lambda event: str(Attempt.objects.get(delivery__dispatch__event=event).pk),
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_trace_does_not_grow_with_the_tables(history: str, reference: str) -> None:
    text = REFERENCES[reference](InboxEvent.objects.get(event_id=history))
    with CaptureQueriesContext(connection) as captured:
        [found] = trace.find(text)
        trace.acts(found)
    assert len(list(found.deliveries())) == 1
    assert_no_walk(captured)


def assert_no_walk(captured: CaptureQueriesContext) -> None:
    with connection.cursor() as cursor:
        for each in captured.captured_queries:
            cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + each["sql"])
            names = [column[0] for column in cursor.description or ()]
            for row in (dict(zip(names, values, strict=True)) for values in cursor.fetchall()):
                if connection.vendor == "sqlite":
                    assert not str(row["detail"]).startswith("SCAN"), (each["sql"], row)
                else:
                    assert row["type"] not in ("ALL", "index"), (each["sql"], row)


def test_query_without_an_index_would_be_found(history: str) -> None:
    with pytest.raises(AssertionError):
        assert_indexed(Dispatch.objects.filter(sender="nobody"))
