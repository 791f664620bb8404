"""Pages and lists: all links live, nothing editable, states in words."""

import html.parser
import re
import uuid
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from commerce_coordinator.console.admin import sections, showing, words
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

from .test_admin_rows import AT, VIEW_ALL, Story, attempt, client_of, delivery, dispatch, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

SOON = timedelta(seconds=90)
MODELS = (InboxEvent, Dispatch, Delivery, Attempt)


def list_of(model: type[Model]) -> str:
    return showing.list_of(model)


def page(row: Model) -> str:
    return showing.page_of(type(row), row.pk)


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attributes if tag == "a" and name == "href" and value}


def links_in(content: str, address: str) -> set[str]:
    parser = _Links()
    parser.feed(content)
    return {urljoin(address, link).partition("#")[0] for link in parser.found}


OURS = ("/admin/inbox/", "/admin/deliveries/", "/admin/dead-letters/", "/admin/replay/")


def test_every_link_from_the_lists_and_pages_leads_somewhere() -> None:
    story()
    dispatch("shop.signals.nobody_wants", 2, unrouted=True)
    client = client_of(superuser=True)
    waiting, seen = {list_of(model) for model in MODELS}, set()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        links = links_in(text(client, address), address)
        ours = {link for link in links if link.startswith(OURS)}
        if urlsplit(address).query:  # or filters would be combined without end
            ours = {link for link in ours if not urlsplit(link).query}
        waiting |= ours - seen
    for model in MODELS:
        for row in model._default_manager.all():
            assert page(row) in seen
    assert any(address.endswith("/history/") for address in seen)
    assert any("replay/?id=" in address for address in seen)


def test_each_page_links_to_what_it_came_from_and_what_followed() -> None:
    told = story()
    client = client_of(superuser=True)
    expected: dict[Model, list[Model]] = {
        told.event: [told.sold, told.reserve],
        told.sold: [told.event, told.reserve],
        told.reserve: [told.sold, told.reserve_attempt, told.reserved, told.venue],
        told.reserve_attempt: [told.reserve, told.reserved],
        told.reserved: [told.reserve, told.reserve_attempt, told.venue, told.ticket],
        told.venue: [told.reserved, told.venue_attempt],
    }
    for row, linked in expected.items():
        links = links_in(text(client, page(row)), page(row))
        assert {page(each) for each in linked} <= links, row


@pytest.mark.parametrize("model", MODELS)
def test_nobody_can_add_change_or_delete_not_even_a_superuser(model: type[Model]) -> None:
    story()
    client = client_of(superuser=True)
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    before = list(model._default_manager.order_by("pk").values())
    kind = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    for address in (page(row), reverse(f"{kind}_add"), reverse(f"{kind}_delete", args=[row.pk])):
        assert client.post(address, {"state": "succeeded", "post": "yes"}).status_code == 403, address
    response = client.post(list_of(model), {"action": "delete_selected", "_selected_action": [str(row.pk)], "index": 0})
    assert response.status_code in (302, 403)
    assert list(model._default_manager.order_by("pk").values()) == before


def test_a_page_has_no_input_but_those_of_the_frame() -> None:
    told = story()
    content = text(client_of(superuser=True), page(told.venue))
    inputs = set(re.findall(r"<(?:input|select|textarea)[^>]*name=\"([^\"]+)\"", content))
    assert inputs == {"csrfmiddlewaretoken", "q"}  # q: the search of the navigation


@pytest.mark.parametrize("model", MODELS)
def test_without_the_view_permission_there_is_nothing_to_see(model: type[Model]) -> None:
    story()
    client = client_of()
    assert client.get(list_of(model)).status_code == 403
    assert client.get(page(model._default_manager.all()[0])).status_code == 403


def test_a_page_that_is_not_there_leads_back_with_a_message() -> None:
    client = client_of(superuser=True)
    for reference in (uuid.uuid4(), "no-uuid"):
        response = client.get(reverse("admin:deliveries_delivery_change", args=[reference]), follow=True)
        assert "exist. Perhaps it was deleted?" in response.content.decode()


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("EDX-1", {"event", "sold", "reserved", "reserve", "venue", "ticket", "reserve_attempt", "venue_attempt"}),
        (" EDX-1 ", {"event", "sold", "reserved", "reserve", "venue", "ticket", "reserve_attempt", "venue_attempt"}),
        ("person-1", {"sold", "reserved", "reserve", "venue", "ticket", "reserve_attempt", "venue_attempt"}),
        (f"{1:032x}", {"event", "sold", "reserved", "reserve", "venue", "ticket", "reserve_attempt", "venue_attempt"}),
        ("evt_1", {"event", "sold", "reserve", "reserve_attempt"}),
        ("EDX", set()),
        ("edx-1", set()),
        ("evt_", set()),
        ("%", set()),
    ],
)
def test_search_finds_whole_values_only(term: str, found: set[str]) -> None:
    told = story()
    story(2)
    client = client_of(superuser=True)
    shown = set()
    for model in MODELS:
        results = client.get(list_of(model), {"q": term}).context["cl"].result_list
        shown |= {row.pk for row in results}
    expected = {getattr(told, name).pk for name in found}
    if "ticket" in found:
        expected |= {each.pk for each in Attempt.objects.filter(delivery=told.ticket)}
    assert shown == expected


def test_search_takes_ids_of_a_row_and_of_what_it_belongs_to() -> None:
    told = story()
    story(2)
    client = client_of(superuser=True)

    def search(model: type[Model], row: Model) -> set[uuid.UUID]:
        return {each.pk for each in client.get(list_of(model), {"q": row.pk.hex}).context["cl"].result_list}

    assert search(InboxEvent, told.event) == {told.event.pk}
    assert search(Dispatch, told.event) == {told.sold.pk}
    assert search(Dispatch, told.reserve) == {told.reserved.pk}
    assert search(Delivery, told.reserved) == {told.venue.pk, told.ticket.pk}
    assert search(Attempt, told.venue) == {told.venue_attempt.pk}


def test_filters_show_the_rows_they_name() -> None:
    told = story()
    unrouted = dispatch("shop.signals.nobody_wants", 2, unrouted=True)
    client = client_of(superuser=True)

    def filtered(model: type[Model], **query: str) -> set[uuid.UUID]:
        return {each.pk for each in client.get(list_of(model), query).context["cl"].result_list}

    tell, reserve = told.venue.receiver, told.reserve.receiver
    assert filtered(Delivery, state="dead") == {told.venue.pk}
    assert filtered(Delivery, state="cancelled") == set()
    assert filtered(Delivery, receiver=tell) == {told.venue.pk}
    assert filtered(Delivery, state="dead", receiver=tell) == {told.venue.pk}
    assert filtered(Delivery, state="dead", receiver=reserve) == set()
    assert filtered(Delivery, state="succeeded", receiver=reserve) == {told.reserve.pk}
    assert filtered(Delivery, state="succeeded", receiver=tell) == set()
    assert filtered(Dispatch, unrouted="1") == {unrouted.pk}
    assert filtered(Dispatch, signal=told.sold.signal) == {told.sold.pk}
    assert filtered(InboxEvent, state="sent") == {told.event.pk}
    assert filtered(InboxEvent, state="failed") == set()


def test_lists_are_newest_first_whatever_order_is_asked_for() -> None:
    keys = [story(number).event.pk for number in range(1, 4)]
    client = client_of(superuser=True)
    for query in ({}, {"o": "1"}, {"o": "-3.2"}):
        assert [each.pk for each in client.get(list_of(InboxEvent), query).context["cl"].result_list] == keys[::-1]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"next_attempt_at": AT + SOON}, "Try 2 of at most 9 is due at 2026-03-01 12:01:30.123 UTC, in 1 min 30 s."),
        ({"next_attempt_at": AT - timedelta(hours=3)}, "3 h 0 min ago, and waits for a worker."),
        (
            {"state": "running", "claimed_at": AT, "worker": "h:7", "lease_until": AT + SOON},
            "on h:7. Its lease ends at",
        ),
        ({"state": "running", "claimed_at": AT, "lease_until": AT}, "Its lease ran out at"),
        ({"state": "succeeded", "settled_at": AT}, "It succeeded at 2026-03-01 12:00:00.123 UTC, with try 1."),
        ({"state": "dead", "settled_at": AT}, "after 1 try. Nothing happens until it is replayed."),
        ({"state": "cancelled", "settled_at": AT}, "An operator cancelled it"),
        ({"state": "of tomorrow"}, "It is of tomorrow."),
    ],
)
def test_a_delivery_tells_its_state_in_words(changes: dict[str, object], sentence: str) -> None:
    row = delivery(dispatch("shop.signals.seat_sold", 1), "reserve_seat", **changes)
    assert sentence in words.of_delivery(row, most=9, now=AT)


@time_machine.travel(AT, tick=False)
def test_the_page_of_a_delivery_tells_next_attempt_and_last_error() -> None:
    told = story()
    content = text(client_of(*VIEW_ALL), page(told.ticket))
    assert "Try 2 of at most 9 is due at 2026-03-01 12:05:00.123 UTC, in 5 min 0 s." in content
    assert "2026-03-01 12:05:00.123 UTC" in content
    assert "Retry. The receiver expects this to pass by itself." in content


@pytest.mark.parametrize("error", ["GiveUp", "Retry", "LeaseExpired", "UnknownReceiver"])
def test_a_dead_delivery_tells_what_to_do_next(error: str) -> None:
    row = delivery(
        dispatch("shop.signals.seat_sold", 1), "reserve_seat", state="dead", error_class=error, settled_at=AT
    )
    content = text(client_of(*VIEW_ALL), page(row))
    assert error in content
    assert "replay it." in content
    assert words.of_error(error).count("replay") == 0, "while it is tried again there is nothing to do"


def test_pages_lead_to_the_trace() -> None:
    told = story()
    client = client_of(*VIEW_ALL)
    for row in (told.venue, told.event):
        assert f"/admin/trace/?q={row.pk}" in links_in(text(client, page(row)), "/")


def test_calls_are_shown_with_their_answers() -> None:
    told = story()
    client = client_of(*VIEW_ALL)
    attempt_page, delivery_page = text(client, page(told.venue_attempt)), text(client, page(told.venue))
    for path, answer in (("/venue/seats/A1", "404"), ("/venue/seats", "ReadTimeout")):
        assert re.search(rf"<td>{answer}</td>(<td>[^<]*</td>){{2}}<td>{path}</td>", attempt_page)
        assert f"{path} → {answer}" in delivery_page


def test_steps_are_shown_with_their_outcomes() -> None:
    told = story()
    client = client_of(*VIEW_ALL)
    asked = {"filter": "org.edx.coordinator.venue.seat_price.requested.v1", "ms": 1.5, "at": "2026-03-01T12:00:00.1Z"}
    Attempt.objects.filter(pk=told.venue_attempt.pk).update(
        calls=[
            {**asked, "step": "venue.steps.PriceList", "outcome": "answered", "inside": 1},
            {"method": "GET", "path": "/venue/prices", "status": 200, "ms": 1.0},
            {**asked, "step": "venue.steps.Discount", "outcome": "failed", "error": "ValueError", "inside": 0},
        ]
    )
    attempt_page, delivery_page = text(client, page(told.venue_attempt)), text(client, page(told.venue))
    for path, answer in (("PriceList", "answered"), ("Discount", "failed ValueError")):
        assert re.search(
            rf"<td>step</td><td>{answer}</td>(<td>[^<]*</td>){{2}}<td>venue\.steps\.{path}</td>", attempt_page
        )
        assert f"step venue.steps.{path} → {answer}" in delivery_page
    places = [attempt_page.index(each) for each in ("steps.PriceList", "/venue/prices", "steps.Discount")]
    assert places == sorted(places)


def test_states_are_told_by_word_not_by_colour_alone() -> None:
    story()
    content = text(client_of(*VIEW_ALL), list_of(Delivery))
    for state in ("succeeded", "dead", "pending"):
        assert re.search(rf'<span class="cc-state cc-\w+">{state}</span>', content)


def test_a_dispatch_whose_attempt_has_not_ended_has_a_page() -> None:
    told = story()
    Dispatch.objects.filter(pk=told.reserved.pk).update(attempt=uuid.uuid4())
    assert "not ended yet" in text(client_of(*VIEW_ALL), page(told.reserved))


def test_what_no_json_or_no_text_is_does_not_break_a_page() -> None:
    told = story()
    client = client_of(*VIEW_ALL, "console.view_private")
    for body in (b"\xff\xfe{", b'"\\ud800"', b"[" * 20_000, b""):
        InboxEvent.objects.filter(pk=told.event.pk).update(raw_body=body)
        assert "Raw body" in text(client, page(told.event))
    Dispatch.objects.filter(pk=told.sold.pk).update(payload={"half": "\ud800"})
    assert "\\ud800" in text(client, page(told.sold))
    Dispatch.objects.filter(pk=told.sold.pk).update(payload=None)
    InboxEvent.objects.filter(pk=told.event.pk).update(raw_body=None)
    assert "retention has emptied it" in text(client, page(told.sold))
    assert "Retention has emptied it" in text(client, page(told.event))
    Attempt.objects.filter(pk=told.venue_attempt.pk).update(calls={"not": "a list"})
    assert "It called nobody." in text(client, page(told.venue_attempt))


def test_values_from_outside_are_text_not_markup() -> None:
    evil = "<script>alert(1)</script>"
    told = story()
    Dispatch.objects.filter(pk=told.sold.pk).update(subject=evil, payload={"x": evil})
    Delivery.objects.filter(pk=told.reserve.pk).update(error_text=evil, error_class=evil)
    Attempt.objects.filter(pk=told.reserve_attempt.pk).update(
        calls=[{"method": evil, "path": evil, "status": evil}, {"step": evil, "outcome": evil, "error": evil}]
    )
    InboxEvent.objects.filter(pk=told.event.pk).update(event_id=evil, raw_body=evil.encode())
    client = client_of(superuser=True)
    rows: tuple[Model, ...] = (told.event, told.sold, told.reserve, told.reserve_attempt)
    for address in [*map(list_of, MODELS), *map(page, rows)]:
        assert evil not in text(client, address)


def test_a_page_shows_so_many_linked_rows_and_leads_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "MOST_ROWS", 3)
    told: Story = story()
    for number in range(2, 6):
        attempt(told.venue, Attempt.Outcome.LOST, number=number)
        dispatch("shop.signals.seat_reserved", number, parent=told.venue)
    client = client_of(superuser=True)
    content = text(client, page(told.venue))
    more = {link for link in links_in(content, "/") if link.endswith(f"?q={told.venue.pk}") and "trace" not in link}
    assert len(more) == 2
    totals = {link: client.get(link).context["cl"].result_count for link in more}
    assert sorted(totals.values()) == [4, 5]


def test_the_admins_stand_in_the_index_of_the_site() -> None:
    content = text(client_of(superuser=True), reverse("admin:index"))
    assert all(list_of(model) in content for model in MODELS)
    assert all(model in admin.site._registry for model in MODELS)
