"""The admin's first page: what came in, is in flight, is dead, and who lives; each number leads to its rows."""

import html.parser
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from commerce_coordinator.console.admin import overview
from commerce_coordinator.console.admin import refusals as refusals_page
from commerce_coordinator.core import ids
from commerce_coordinator.core.deliveries.models import Delivery, Heartbeat
from commerce_coordinator.core.deliveries.publish import publisher
from commerce_coordinator.core.deliveries.relay import RELAY_HEARTBEAT
from commerce_coordinator.core.deliveries.tasks import WORKER_HEARTBEAT
from commerce_coordinator.core.ids import first_at, uuid7
from commerce_coordinator.core.inbox.models import InboxEvent, WebhookRefusal
from commerce_coordinator.core.inbox.refusals import refusals
from commerce_coordinator.core.inbox.webhooks import WebhookView

from .test_admin_queries import ours, plan
from .test_admin_rows import AT, client_of, dispatch, story

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=2)


@pytest.fixture(autouse=True)
def a_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of events can be filtered by it; and keys follow a clock that goes back."""
    monkeypatch.setitem(WebhookView.by_provider, "shop", WebhookView)
    monkeypatch.setattr(ids, "_last", 0)


class _Cells(html.parser.HTMLParser):
    """The tables' rows: the texts of their cells, and where links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: dict[tuple[str, int], str] = {}
        self.in_cell = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.in_cell = True
            self.rows[-1].append("")
        if tag == "a" and self.in_cell:
            self.links[self.rows[-1][0].strip(), len(self.rows[-1]) - 1] = dict(attributes)["href"] or ""

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1][-1] += data


def first_page(client: Client) -> tuple[str, _Cells]:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    text = answer.content.decode()
    cells = _Cells()
    cells.feed(text.partition('class="cc-overview"')[2].partition('id="content-main"')[0])
    return text, cells


def row_of(cells: _Cells, name: str) -> list[str]:
    return next([cell.strip() for cell in row] for row in cells.rows if row and row[0].strip() == name)


def test_numbers_are_those_of_the_last_hour_and_day() -> None:
    with time_machine.travel(AT, tick=False):
        story(1)
        story(2)
    with time_machine.travel(LATER, tick=False):
        story(3)
        InboxEvent.objects.create(
            provider="shop", event_id="evt_bad", event_type="seat.sold", state="failed", raw_body=b"", trace_id="1" * 32
        )
        dispatch("shop.signals.nobody_wants", 4, unrouted=True)
        text, cells = first_page(client_of(superuser=True))
    assert row_of(cells, "shop") == ["shop", "1", "1", "1", "3", "-", "-"]
    assert row_of(cells, "shop.reserve_seat") == ["shop.reserve_seat", "-", "-", "-", "-", "-", "-", "1", "3"]
    assert row_of(cells, "shop.send_ticket") == ["shop.send_ticket", "-", "-", "1", "3", "-", "-", "-", "-"]
    assert row_of(cells, "shop.tell_venue") == ["shop.tell_venue", "1", "3", "-", "-", "-", "-", "-", "-"]
    assert re.search(
        r'cc-bad">look</span> <a href="/admin/dead-letters/">Dead letters wait for somebody</a>: 5\.', text
    )
    assert row_of(cells, "Dead deliveries") == ["Dead deliveries", "3"]
    assert row_of(cells, "Failed events") == ["Failed events", "1"]
    assert row_of(cells, "Unrouted dispatches") == ["Unrouted dispatches", "1"]


def test_each_number_leads_to_as_many_rows() -> None:
    with time_machine.travel(AT, tick=False):
        story(1)
        story(2)
    client = client_of(superuser=True)
    with time_machine.travel(LATER, tick=False):
        story(3)
        _, cells = first_page(client)
        assert len(cells.links) >= 8
        for (name, place), address in cells.links.items():
            shown = int(row_of(cells, name)[place])
            answer = client.get(address)
            assert answer.status_code == 200, address
            # A receiver that no map names is no choice of the filter, and all are listed then.
            if "receiver=" not in address:
                context = answer.context
                found = len(context["rows"]) if "rows" in context else context["cl"].result_count
                assert found == shown, address


def test_older_rows_than_a_day_are_not_counted() -> None:
    with time_machine.travel(AT, tick=False):
        story(1)
    with time_machine.travel(AT + timedelta(days=1, seconds=1), tick=False):
        text, cells = first_page(client_of(superuser=True))
    assert not [row for row in cells.rows if row and row[0].strip() == "shop"]
    assert text.count("None in a day.") == 2
    assert row_of(cells, "Dead deliveries") == ["Dead deliveries", "1"]


def test_only_the_newest_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_COUNTED", 4)
    for number in range(1, 6):
        story(number)
    _, cells = first_page(client_of(superuser=True))
    assert row_of(cells, "shop")[3] == "4"


def test_lights_say_who_lives_and_what_waits() -> None:
    client = client_of(superuser=True)
    with time_machine.travel(AT, tick=False):
        text = first_page(client)[0]
        assert "A relay was never seen. Does one run?" in text
        assert "Whether workers live cannot be told without a relay, which asks them: none was ever seen." in text
        Heartbeat.objects.create(name=RELAY_HEARTBEAT, beat_at=AT - timedelta(seconds=3))
        Heartbeat.objects.create(name=WORKER_HEARTBEAT, beat_at=AT - timedelta(minutes=3))
        text = first_page(client)[0]
    assert "A relay lives: last seen 3 s ago." in text
    assert re.search(r'cc-bad">look</span> A worker is silent: last seen 3 min 0 s ago\. Start one', text)
    assert re.search(r'cc-good">ok</span> No dead letter waits for somebody\.', text)
    assert "Nothing is overdue." in text
    told = story()
    Delivery.objects.filter(pk=told.ticket.pk).update(wake_at=AT - timedelta(minutes=10))
    with time_machine.travel(AT, tick=False):
        assert re.search(r'cc-bad">look</span> The oldest due delivery waits for 10 min', first_page(client)[0])
    # The relay publishes it now and again, and no worker takes it.
    waits = {"wake_at": AT + timedelta(minutes=5), "next_attempt_at": AT - timedelta(seconds=80)}
    Delivery.objects.filter(pk=told.ticket.pk).update(**waits)
    with time_machine.travel(AT, tick=False):
        assert "The oldest due delivery waits for 1 min 20 s." in first_page(client)[0]


def test_workers_are_not_called_dead_because_the_relay_is() -> None:
    with time_machine.travel(AT, tick=False):
        for name in (RELAY_HEARTBEAT, WORKER_HEARTBEAT):
            Heartbeat.objects.create(name=name, beat_at=AT - timedelta(minutes=3))
        text = first_page(client_of(superuser=True))[0]
    assert "A relay is silent: last seen 3 min 0 s ago." in text
    assert "A worker is silent" not in text
    assert "cannot be told without a relay, which asks them: one was last seen 3 min 0 s ago." in text


def test_worker_is_not_to_be_started_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "ping", lambda: False)
    with time_machine.travel(AT, tick=False):
        Heartbeat.objects.create(name=RELAY_HEARTBEAT, beat_at=AT)
        Heartbeat.objects.create(name=WORKER_HEARTBEAT, beat_at=AT - timedelta(minutes=3))
        text = first_page(client_of(superuser=True))[0]
    assert "A worker is silent: last seen 3 min 0 s ago. Without the broker nothing reaches it." in text


def test_statements_stay_as_many() -> None:
    client = client_of(superuser=True)
    client.get("/admin/")

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            first_page(client)
        return [each["sql"] for each in captured]

    few = statements()
    for number in range(1, 21):
        story(number)
    assert len(statements()) == len(few)
    assert len(ours(few)) <= 9


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
def test_no_statement_walks_a_table() -> None:
    client = client_of(superuser=True)
    for number in range(1, 13):
        story(number)
    with CaptureQueriesContext(connection) as captured:
        first_page(client)
    walked = {
        step: sql
        for sql in ours([each["sql"] for each in captured])
        for step in plan(sql)
        if step.startswith("SCAN") and "LIMIT" not in sql
    }
    assert walked == {}


@pytest.mark.parametrize("permissions", [(), ("inbox.view_inboxevent",), ("deliveries.view_delivery",)])
def test_who_may_not_view_the_record_sees_no_numbers(permissions: tuple[str, ...]) -> None:
    story()
    assert "Waiting for somebody" not in client_of(*permissions).get("/admin/").content.decode()


def test_keys_range_over_time() -> None:
    with time_machine.travel(AT, tick=False):
        key: Any = uuid7()
    now = timezone.now()
    assert first_at(AT) <= key < first_at(AT + timedelta(milliseconds=2))
    assert first_at(now).version == 7


def test_refused_webhooks_are_told_with_their_codes() -> None:
    client = client_of(superuser=True)
    with time_machine.travel(AT, tick=False):
        assert re.search(r'cc-good">ok</span> No webhook was refused in the last hour\.', first_page(client)[0])
        refusals.note("shop", "signature_invalid")
        text = first_page(client)[0]
        assert re.search(r'cc-bad">look</span> <a href="([^"]+)">Webhooks refused in the last hour</a>', text)
        assert "shop 1 (signature_invalid)." in text
        assert escape(refusals_page.MEANINGS["signature_invalid"]) in text
        listed = client.get("/admin/inbox/webhookrefusal/").content.decode()
    assert "signature_invalid" in listed
    assert escape(refusals_page.MEANINGS["signature_invalid"]) in listed
    assert "Add refused webhook" not in listed


def test_whoever_may_see_the_events_may_see_the_refused_webhooks() -> None:
    refusals.note("shop", "signature_invalid")
    listed = "/admin/inbox/webhookrefusal/"
    assert client_of("inbox.view_inboxevent").get(listed).status_code == 200
    assert client_of("deliveries.view_delivery").get(listed).status_code == 403


def test_no_address_of_a_refused_webhook_is_an_errors_page() -> None:
    """Nothing leads there; a bookmark of another list, or a number in an address, may."""
    refusals.note("shop", "signature_invalid")
    client, row = client_of("inbox.view_inboxevent"), WebhookRefusal.objects.get()
    listed = "/admin/inbox/webhookrefusal/"
    assert client.get(listed, {"q": "evt_1"}).status_code == 200
    assert "Refused in these ten minutes: 1." in client.get(f"{listed}{row.pk}/change/").content.decode()
