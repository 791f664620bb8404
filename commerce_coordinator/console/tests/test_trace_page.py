"""The page of a trace: every hop, private values masked, found by each reference, as quick for many rows as for few."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commerce_coordinator.console.admin import trace as page
from commerce_coordinator.console.admin.showing import list_of, page_of
from commerce_coordinator.core import references
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.references import Named
from commerce_coordinator.core.telemetry.masking import MASK

from .test_admin_rows import (  # noqa: F401
    AT,
    PRIVATE,
    SEAT_RESERVED,
    VIEW_ALL,
    attempt,
    client_of,
    delivery,
    dispatch,
    stage,
    story,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def show(client: Client, reference: Any, **query: str) -> str:
    response = client.get(reverse("console:trace"), {"q": str(reference), **query})
    assert response.status_code == 200
    return response.content.decode()


def lines(content: str) -> list[tuple[int, str]]:
    """(level, text) of each line of the waterfall."""
    summaries = re.findall(r'<th scope="row".*?<summary>(.*?)</summary>', content, re.DOTALL)
    found = []
    for each in summaries:
        level = re.search(r"Level (\d+), ", each)
        assert level is not None
        found.append((int(level[1]), " ".join(re.sub(r"<[^>]+>", " ", each).split()).partition(", ")[2]))
    return found


def test_a_story_is_a_tree_from_the_event_to_each_call() -> None:
    told = story()
    with time_machine.travel(AT + timedelta(minutes=1), tick=False):
        shown = lines(show(client_of(*VIEW_ALL), told.event.event_id))
    calls = ["call GET /venue/seats/A1", "call POST /venue/seats"]
    assert [level for level, _ in shown] == [1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 8, 6, 7, 8, 8, 7]
    assert [text for _, text in shown][:7] == [
        "event shop seat.sold evt_1",
        "signal shop.seat_sold",
        "delivery shop.reserve_seat",
        "try 1",
        *calls,
        "signal shop.seat_reserved",
    ]
    assert "delivery shop.tell_venue" in [text for _, text in shown]
    assert any("Try 2 of at most 9 is due" in text for _, text in shown)
    assert shown[-1][1].startswith("try 2 waiting")


def test_private_values_are_for_whoever_has_the_permission() -> None:
    told = story()
    act = OperatorAct.objects.create(kind="set aside", delivery=told.venue, who="nia", origin="web", why="why-secret")
    masked = show(client_of(*VIEW_ALL, "console.replay"), told.event.pk)
    assert not [value for value in (*PRIVATE.values(), act.why) if value in masked]
    assert MASK in masked
    assert "by nia at" in masked
    shown = show(client_of(*VIEW_ALL, "console.view_private"), told.event.pk)
    assert not [value for value in (*PRIVATE.values(), act.why) if value not in shown]
    assert "&quot;country&quot;: &quot;NZ&quot;" in masked


def test_what_died_is_unfolded_and_says_what_its_error_means() -> None:
    told = story()
    content = show(client_of(*VIEW_ALL), told.event.pk)
    unfolded = re.findall(r"<details class=\"cc-l[^>]* open>(.*?)</th>", content, re.DOTALL)
    assert len(unfolded) == 2  # the delivery and its try
    assert "GiveUp. The receiver gave up" in unfolded[1]
    assert "503" not in unfolded[0]


def test_whoever_may_replay_has_the_link_beside_what_is_dead() -> None:
    told = story()
    address = f"{reverse('console:replay')}?id={told.venue.pk}"
    assert address in show(client_of(*VIEW_ALL, "console.replay"), told.event.pk)
    assert address not in show(client_of(*VIEW_ALL), told.event.pk)


def test_a_replay_has_a_heading_above_its_tries() -> None:
    told = story()
    OperatorAct.objects.create(
        kind="replayed", delivery=told.venue, generation=1, who="nia", origin="web", why="mended", acted_at=AT
    )
    attempt(told.venue, Attempt.Outcome.SUCCEEDED, generation=1, calls=[])
    Delivery.objects.filter(pk=told.venue.pk).update(state="succeeded", generation=1)
    shown = lines(show(client_of(*VIEW_ALL, "console.view_private"), told.event.pk))
    at = next(number for number, (_, text) in enumerate(shown) if text.startswith("replay 1 by nia at 2026-03-01"))
    assert shown[at][1].endswith(": mended")
    assert shown[at + 1] == (shown[at][0] + 1, "try 1")


@pytest.mark.parametrize(("kind", "outcome"), [("replayed", "dead"), ("forced", "succeeded"), ("", "")])
def test_first_run_of_a_replayed_inline_receiver_is_told(kind: str, outcome: str) -> None:
    told = story()
    noted = delivery(told.sold, "note_sale", kind="inline", state="succeeded", generation=1)
    if kind:
        OperatorAct.objects.create(kind=kind, delivery=noted, generation=1, who="nia", origin="web", acted_at=AT)
    attempt(noted, Attempt.Outcome.SUCCEEDED, generation=1, calls=[])
    content = show(client_of(*VIEW_ALL), told.event.pk)
    shown = [text for _, text in lines(content)]
    first = next(number for number, text in enumerate(shown) if text.startswith("first run, inline"))
    assert shown[first].endswith("inline" if kind else "How it ended is not kept.")
    assert shown[first + 1].startswith("replay 1")
    assert re.search(rf"first run, inline.*?</th>\s*<td class=\"cc-narrow\">{outcome}</td>", content, re.DOTALL)


def test_each_bar_has_the_same_in_words_and_the_axis_says_what_it_cuts() -> None:
    told = story()
    with time_machine.travel(AT + timedelta(hours=2), tick=False):
        content = show(client_of(*VIEW_ALL), told.event.pk)
    bars = re.findall(r'<svg height="14"[^>]*role="img" aria-label="([^"]+)">', content)
    assert len(bars) == len(lines(content)) - content.count('<td class="cc-time"></td>')
    assert any("waiting 1 h 59 min for the next try" in words for words in bars)
    assert "drawn short" in content


def test_a_story_in_flight_can_be_followed_until_it_is_settled() -> None:
    told = story()
    client = client_of(*VIEW_ALL)
    refresh = '<meta http-equiv="refresh"'
    assert refresh not in show(client, told.event.pk)
    assert "follow=1" in show(client, told.event.pk)
    assert refresh in show(client, told.event.pk, follow="1")
    Delivery.objects.filter(pk=told.ticket.pk).update(state="succeeded", settled_at=AT)
    assert refresh not in show(client, told.event.pk, follow="1")


# --- Search ---


def test_every_reference_leads_to_the_story() -> None:
    story(2)
    told = story()
    client = client_of(*VIEW_ALL)
    whole = lines(show(client, told.event.pk))
    named = (told.event.event_id, told.event.trace_id, "EDX-1", "person-1")
    rows = (told.event, told.sold, told.reserve, told.reserve_attempt, told.reserved, told.venue, told.ticket)
    for reference in (*named, *(row.pk for row in rows), told.venue_attempt.pk, told.venue.pk.hex, " EDX-1 "):
        content = show(client, reference)
        assert "event shop seat.sold evt_1" in [text for _, text in lines(content)], reference
        assert len(lines(content)) == len(whole)


def test_what_an_app_knows_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "_finders", [])
    told = story()
    references.finds("ticket number")(lambda text: Named(subjects=["EDX-1"] if text == "T-1" else []))
    references.finds("door")(
        lambda text: Named(sendings=[(told.sold.signal, told.sold.dedupe_key)] if text == "D-1" else [])
    )
    client = client_of(*VIEW_ALL)
    assert "evt_1" in show(client, "T-1")
    assert "evt_1" in show(client, "D-1")
    nothing = show(client, "T-2")
    assert "Nothing is known of “T-2”" in nothing
    assert "ticket number" in nothing


def test_a_user_name_finds_his_stories_for_whoever_may_see_names() -> None:
    Dispatch.objects.filter(pk=story().sold.pk).update(person="1313")
    get_user_model().objects.create_user(username="amina", lms_user_id=1313)
    assert "evt_1" in show(client_of(*VIEW_ALL, "console.view_private"), "amina")
    assert "Nothing is known" in show(client_of(superuser=True), "Amina")
    hidden = show(client_of(*VIEW_ALL), "amina")
    assert "Nothing is known" in hidden
    assert "user name" not in hidden


def test_several_stories_are_a_list_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_STORIES", 2)
    told = [story(number) for number in (1, 2, 3)]
    Dispatch.objects.update(person="1313")
    content = show(client_of(*VIEW_ALL), "1313")
    links = re.findall(r'<a href="/admin/trace/\?q=([0-9a-f-]+)">shop seat.sold</a>', content)
    assert links == [str(told[2].event.pk), str(told[1].event.pk)]
    assert "The newest 2 stories" in content
    assert "1 of 3 deliveries succeeded, 1 dead, 1 pending." in content
    assert not [value for value in PRIVATE.values() if value in content]


def test_failed_events_and_unrouted_dispatches_have_a_page() -> None:
    event = InboxEvent.objects.create(
        provider="shop", event_id="evt_f", event_type="t", state="failed", reason="No seat.", trace_id="f" * 32
    )
    content = show(client_of(superuser=True), "evt_f")
    assert "No signal could be made of it. No seat." in content
    assert f"{reverse('console:replay')}?id={event.pk}" in content
    dispatch(SEAT_RESERVED, 9, unrouted=True)
    assert "The map routed it to no receiver" in show(client_of(*VIEW_ALL), "EDX-9")


@pytest.mark.parametrize("reference", ["", "nothing", "\x00", "x" * 5000, "0" * 32, "<script>"])
def test_what_tells_of_nothing_gets_a_page_that_says_what_can_be_searched(reference: str) -> None:
    story()
    content = show(client_of(*VIEW_ALL), reference)
    assert "order number" in content
    assert "<script>”" not in content


def test_the_search_stands_on_every_page_of_whoever_may_read_the_record() -> None:
    row = story().venue
    client = client_of(superuser=True)
    frames = (reverse("admin:index"), list_of(Delivery), page_of(Delivery, row.pk), reverse("console:dead_letters"))
    for address in (*frames, reverse("console:trace")):
        assert 'placeholder="event, trace, order, user or payment id"' in client.get(address).content.decode(), address
    other = client_of("inbox.view_inboxevent")
    assert "cc-find" not in other.get(list_of(InboxEvent)).content.decode().partition("<body")[2]


def test_without_the_right_to_read_all_of_it_there_is_no_trace() -> None:
    for missing in VIEW_ALL:
        client = client_of(*(permission for permission in VIEW_ALL if permission != missing))
        assert client.get(reverse("console:trace"), {"q": "EDX-1"}).status_code == 403
    assert Client().get(reverse("console:trace")).status_code == 302


# --- What it costs ---


def statements(client: Client, reference: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        show(client, reference)
    return len(captured)


def test_a_wide_story_takes_as_many_statements_as_a_narrow_one() -> None:
    told = story()
    client = client_of(superuser=True)
    few = statements(client, "evt_1")
    for number in range(2, 60):
        sent = dispatch(SEAT_RESERVED, number, parent=told.reserve, attempt=told.reserve_attempt)
        attempt(delivery(sent, "tell_venue", state="dead", error_class="GiveUp"), Attempt.Outcome.DEAD)
    assert statements(client, "evt_1") == few


def test_a_list_takes_as_many_statements_for_many_stories_as_for_few() -> None:
    client = client_of(superuser=True)
    for number in (1, 2):
        story(number)
    Dispatch.objects.update(person="1313")
    few = statements(client, "1313")
    for number in range(3, 12):
        story(number)
    Dispatch.objects.update(person="1313")
    assert statements(client, "1313") == few


def test_a_long_story_shows_its_first_lines_and_the_rest_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    told = story()
    monkeypatch.setattr(page, "MOST_ROWS", 5)
    client = client_of(*VIEW_ALL)
    assert len(lines(show(client, told.event.pk))) == 5
    assert "Show the rest" in show(client, told.event.pk)
    assert len(lines(show(client, told.event.pk, rows="all"))) == 16


def test_what_is_read_has_a_bound_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told = story()
    monkeypatch.setattr(page, "MOST_DELIVERIES", 2)
    content = show(client_of(*VIEW_ALL), told.event.pk)
    assert "longer than what is read at once" in content
    assert "of at least 2 deliveries" in content
