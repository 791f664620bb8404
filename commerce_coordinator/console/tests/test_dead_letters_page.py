"""The page of the dead letters: it shows, filters, chooses, asks before it acts, and keeps who acted and why."""

import html
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commerce_coordinator.console import dead_letters
from commerce_coordinator.console.admin.showing import page_of
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.deliveries.publish import publisher
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals.tests.plugin_of_a_test import TestPlugin, plugin_of_a_test

from .test_admin_queries import TABLES, plan
from .test_admin_rows import PRIVATE, SEAT_RESERVED, VIEW_ALL, client_of, delivery, dispatch, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

PAGE, REPLAY_ALL, REPLAY = "/admin/dead-letters/", "/admin/dead-letters/replay/", "/admin/replay/"
State = Delivery.State


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went to the broker."""
    kept: list[Any] = []
    monkeypatch.setattr(publisher, "publish", lambda messages, **options: kept.extend(messages) or len(messages))
    return kept


@pytest.fixture
def operator() -> Client:
    return client_of(*VIEW_ALL, "console.replay")


@pytest.fixture
def shop() -> Iterator[TestPlugin]:
    with plugin_of_a_test() as plugin:
        plugin.signal("seat_sold")

        @plugin.task
        def print_ticket(seat: str) -> None:
            pass

        yield plugin


def failed(number: int) -> InboxEvent:
    return InboxEvent.objects.create(
        provider="shop", event_id=f"evt_f{number}", event_type="t", state="failed", reason="seat is missing."
    )


def dead(number: int, error: str = "Retry") -> Delivery:
    sold = dispatch(SEAT_RESERVED, number, payload={"seat": "A1"})
    return delivery(sold, "send_mail", state=State.DEAD, error_class=error)


def text_of(response: Any) -> str:
    assert response.status_code == 200, response
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def messages_of(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_it_shows_what_waits_and_why_and_leads_there(operator: Client) -> None:
    told, event, lost = story(), failed(1), dispatch("shop.signals.nobody_wants", 2, unrouted=True)
    page = operator.get(PAGE)
    text = text_of(page)
    for row in (told.venue, event, lost):
        assert f'href="{page_of(type(row), row.pk)}"' in page.content.decode()
    for words in ("GiveUp", "seat is missing.", "The map routed it to nobody.", "dead", "failed", "unrouted", "EDX-1"):
        assert words in text
    assert PRIVATE["error"] not in page.content.decode()


def test_when_nothing_waits_it_says_so(operator: Client) -> None:
    assert "nothing waits for you" in text_of(operator.get(PAGE))
    assert "No dead letter matches." in text_of(operator.get(PAGE, {"error": "Retry"}))


def test_a_filter_that_cannot_be_read_is_named_and_shows_nothing(operator: Client) -> None:
    dead(1)
    text = text_of(operator.get(PAGE, {"since": "yesterday"}))
    assert "since is &#x27;yesterday&#x27;; it must be an age such as 90m" in text
    assert "send_mail for" not in text
    back = operator.get(REPLAY_ALL, {"since": "yesterday"}, follow=True)
    assert "since is 'yesterday'" in messages_of(back)


def test_the_command_to_copy_says_to_a_shell_what_the_filter_says(operator: Client) -> None:
    subject = "EDX-1$(reboot)'; reboot; '"
    dispatch("shop.signals.nobody_wants", 3, unrouted=True, subject=subject)
    page = operator.get(PAGE, {"subject": subject}).content.decode()
    told = re.search(r"<code>python (manage.py replay .*?)</code>", page)
    assert told
    assert shlex.split(html.unescape(told[1])) == ["manage.py", "replay", "--filter", f"subject={subject}", "--dry-run"]


def test_chosen_ones_of_all_kinds_are_asked_about_before_anything_happens(
    operator: Client, published: list[Any]
) -> None:
    rows = [dead(1), failed(2), dispatch("shop.signals.nobody_wants", 3, unrouted=True)]
    asked = operator.post(REPLAY, {"act": "ask", "id": [str(row.pk) for row in rows]})
    text = text_of(asked)
    assert "1 will be replayed" in text
    assert "2 will be left alone" in text
    assert "No installed plugin takes events of shop." in text
    assert "No installed plugin defines the signal shop.signals.nobody_wants." in text
    assert published == []
    assert not OperatorAct.objects.exists()


def test_an_unrouted_dispatch_is_routed_by_its_button(
    operator: Client, shop: TestPlugin, published: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    lost = dispatch("test_shop.seat_sold", 1, unrouted=True, payload={"seat": "A1"})
    assert "Set aside…" in operator.get(page_of(Dispatch, lost.pk)).content.decode()
    with shop.routed(seat_sold=["print_ticket"]):
        assert "Replay…" in operator.get(page_of(Dispatch, lost.pk)).content.decode()
        asked = operator.get(REPLAY, {"id": str(lost.pk)})
        assert "gives it to test_shop.print_ticket" in text_of(asked)
        form = {"act": "replay", "again": asked.context["again"][0].value, "why": "Forgotten.", "back": "/admin/"}
        with django_capture_on_commit_callbacks(execute=True):
            done = operator.post(REPLAY, form, follow=True)
    assert "is routed to test_shop.print_ticket" in messages_of(done)
    act = OperatorAct.objects.get()
    assert (act.dispatch, act.who, act.why, act.origin) == (lost, act.who, "Forgotten.", "web")
    assert act.who.startswith("inbox.view_inboxevent")
    assert len(published) == 1


def test_who_acted_when_and_why_stands_on_the_page_and_the_words_are_private(operator: Client) -> None:
    row = dead(1)
    asked = operator.get(REPLAY, {"id": str(row.pk)})
    form = {
        "act": "replay",
        "again": asked.context["again"][0].value,
        "why": "she wrote to us",
        "back": asked.context["back"],
    }
    operator.post(REPLAY, form)
    page = operator.get(page_of(Delivery, row.pk)).content.decode()
    assert "What operators did" in page
    assert "replayed" in page
    assert "she wrote to us" not in page
    trusted = client_of(*VIEW_ALL, "console.view_private")
    assert "she wrote to us" in trusted.get(page_of(Delivery, row.pk)).content.decode()


def test_what_is_set_aside_leaves_the_list_and_can_come_back(operator: Client) -> None:
    rows = [dead(1), failed(2), dispatch("shop.signals.nobody_wants", 3, unrouted=True)]
    asked = operator.post(REPLAY, {"act": "ask", "id": [str(row.pk) for row in rows]})
    form = {"act": "set_aside", "set_aside": [str(key) for key in asked.context["to_set_aside"]], "back": PAGE}
    assert "3 were set aside." in messages_of(operator.post(REPLAY, form, follow=True))
    assert "nothing waits for you" in text_of(operator.get(PAGE))
    assert Delivery.objects.get().state == State.CANCELLED
    assert InboxEvent.objects.get().state == "ignored"
    assert "It had failed with: seat is missing." in InboxEvent.objects.get().reason
    assert OperatorAct.objects.filter(kind="set aside").count() == 3
    asked = operator.get(REPLAY, {"id": str(rows[0].pk)})
    form = {"act": "replay", "again": asked.context["again"][0].value, "back": PAGE}
    assert "is due again" in messages_of(operator.post(REPLAY, form, follow=True))


def test_all_that_match_are_replayed_after_a_page_that_says_what_will_happen(
    operator: Client, published: list[Any]
) -> None:
    meant, other = [dead(1), dead(2)], dead(3, error="GiveUp")
    asked = operator.get(REPLAY_ALL, {"error": "Retry"})
    text = text_of(asked)
    assert "Dead letters with error Retry : 2." in text
    assert "2 will be replayed" in text
    assert "fresh budget of tries" in text
    assert published == []
    later = dead(4)
    Delivery.objects.filter(pk=later.pk).update(settled_at="2999-01-01T00:00:00Z")
    form = {**asked.context["filter"], "why": "The venue is back."}
    done = operator.post(REPLAY_ALL, form, follow=True)
    assert "2 were replayed." in messages_of(done)
    assert {each.pk for each in Delivery.objects.filter(state=State.PENDING)} == {each.pk for each in meant}
    assert {each.pk for each in Delivery.objects.filter(state=State.DEAD)} == {other.pk, later.pk}
    assert set(OperatorAct.objects.values_list("why", flat=True)) == {"The venue is back."}
    assert done.redirect_chain == [(f"{PAGE}?error=Retry", 302)]


def test_all_that_match_can_be_set_aside(operator: Client, published: list[Any]) -> None:
    dead(1), dead(2, error="GiveUp")
    asked = operator.get(REPLAY_ALL, {"error": "Retry"})
    assert "Set aside 1: nothing more shall come of it" in text_of(asked)
    done = operator.post(REPLAY_ALL, {**asked.context["filter"], "act": "set_aside"}, follow=True)
    assert "is set aside: it is cancelled." in messages_of(done)
    assert sorted(Delivery.objects.values_list("error_class", "state")) == [("GiveUp", "dead"), ("Retry", "cancelled")]
    assert published == []


def test_one_click_replays_no_more_than_a_request_can(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("dead_letters", "replaying"):
        monkeypatch.setattr(f"commerce_coordinator.console.admin.{module}.MOST_AT_ONCE", 2)
    for number in range(3):
        dead(number)
    asked = operator.get(REPLAY_ALL)
    assert "One click replays the newest 2; then do it again." in text_of(asked)
    operator.post(REPLAY_ALL, asked.context["filter"])
    assert Delivery.objects.filter(state=State.PENDING).count() == 2


def test_older_ones_are_on_the_next_page(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commerce_coordinator.console.admin.dead_letters.PER_PAGE", 2)
    rows = [dead(number) for number in range(5)]
    seen, address = [], f"{PAGE}?error=Retry"
    while address:
        page = operator.get(address)
        seen += [each["pk"] for each in page.context["rows"]]
        address = f"{PAGE}{page.context['next_page']}" if page.context["next_page"] else ""
    assert seen == [row.pk for row in reversed(rows)]


@pytest.mark.parametrize("address", [REPLAY_ALL, REPLAY])
def test_without_the_right_there_is_no_way_to_act(address: str, published: list[Any]) -> None:
    row = dead(1)
    reader = client_of(*VIEW_ALL)
    page = reader.get(PAGE)
    assert "Replay" not in text_of(page).partition("Dead letters")[2].replace("manage.py replay", "")
    assert reader.get(address, {"id": str(row.pk)}).status_code == 403
    assert reader.post(address, {"again": f"{row.pk}:0"}).status_code == 403
    row.refresh_from_db()
    assert (row.state, published) == (State.DEAD, [])


@pytest.mark.parametrize("permissions", [(), VIEW_ALL[:2]])
def test_without_the_right_to_read_there_is_no_page_and_no_link(permissions: tuple[str, ...]) -> None:
    client = client_of(*permissions)
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/").content.decode()


def test_who_is_not_logged_in_is_asked_to() -> None:
    assert Client().get(PAGE)["Location"] == f"/admin/login/?next={PAGE}"


def test_a_form_leads_nowhere_else(operator: Client) -> None:
    row = dead(1)
    form = {"act": "replay", "again": f"{row.pk}:0", "back": "https://elsewhere.example/"}
    assert operator.post(REPLAY, form)["Location"] == reverse("console:dead_letters")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"receiver": "shop.tasks.send_mail"},
        {"error": "Retry"},
        {"subject": "EDX-3"},
        {"provider": "shop"},
        {"signal": SEAT_RESERVED},
        {"since": "24h"},
        {"before": "0190a6b2-7c3e-7000-8000-000000000000"},
    ],
    ids=str,
)
def test_no_statement_of_the_page_walks_a_table(
    operator: Client, query: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MOST_WALKED", 20)
    for number in range(30):
        story(number)
        dead(number + 100)
    with CaptureQueriesContext(connection) as captured:
        assert operator.get(PAGE, query).status_code == 200
    read = [each["sql"] for each in captured if any(f'"{table}"' in each["sql"] for table in TABLES)]
    assert read
    for sql in read:
        for line in plan(sql):
            assert not line.startswith("SCAN"), (line, sql)
            # What one order has is few rows, found by keys: sorting them walks nothing.
            assert "TEMP B-TREE" not in line or "subject" in query, (line, sql)


def test_an_event_that_was_set_aside_says_so_and_not_that_it_is_none_of_ours(operator: Client) -> None:
    row = failed(1)
    form = {"act": "set_aside", "set_aside": [str(row.pk)], "back": PAGE}
    operator.post(REPLAY, form)
    text = text_of(operator.get(page_of(InboxEvent, row.pk)))
    assert "Set aside by an operator. It had failed with: seat is missing. A replay takes that back." in text
    assert "none of our business" not in text


def test_after_the_act_the_list_is_filtered_as_before(operator: Client) -> None:
    row, filtered = dead(1), f"{PAGE}?error=Retry"
    assert f'name="back" value="{filtered}"' in operator.get(filtered).content.decode()
    asked = operator.post(REPLAY, {"act": "ask", "id": str(row.pk), "back": filtered})
    assert asked.context["back"] == filtered
    elsewhere = operator.post(REPLAY, {"act": "ask", "id": str(row.pk), "back": "https://elsewhere.example/"})
    assert elsewhere.context["back"] == page_of(Delivery, row.pk)


def test_a_filter_that_leaves_kinds_out_says_so(operator: Client) -> None:
    dead(1)
    assert "Only events have a provider" in text_of(operator.get(PAGE, {"provider": "shop"}))
    assert "Only events have a provider" not in text_of(operator.get(PAGE))
