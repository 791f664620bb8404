"""Replay from the admin: by the page's button and by the list's action, only with the right, only what was shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from commerce_coordinator.console.admin import replaying
from commerce_coordinator.console.admin.showing import list_of, page_of
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.publish import publisher
from commerce_coordinator.core.exceptions import EventNotUnderstood, WebhookRefused
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing.database_faults import inserts_fail

from .test_admin_rows import VIEW_ALL, SeatSold, client_of, payload, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

DELIVERY_REPLAY = EVENT_REPLAY = "console:replay"


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went to the broker."""
    kept: list[Any] = []

    def publish(messages: Any, **options: Any) -> bool:
        kept.extend(messages)
        return True

    monkeypatch.setattr(publisher, "publish", publish)
    return kept


@pytest.fixture
def operator() -> Client:
    return client_of(*VIEW_ALL, "console.replay")


def ask(client: Client, route: str, *rows: Any) -> HttpResponse:
    response: Any = client.get(reverse(route), {"id": [str(row.pk) for row in rows]})
    return response


def confirm(client: Client, asked: Any, **more: str) -> str:
    """Send the form as the page gave it; returns the messages shown next."""
    context = asked.context
    form = {name: [plan.value for plan in context[name]] for name in ("again", "force")}
    response = client.post(context["address"], {**form, "back": context["back"], **more}, follow=True)
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def choose(client: Client, address: str, *rows: Any, **more: str) -> Any:
    form = {"action": "replay_selected", "_selected_action": [str(row.pk) for row in rows], "index": "0", **more}
    return client.post(address, form)


def test_a_dead_delivery_is_replayed_by_its_button(operator: Client, published: list[Any]) -> None:
    told = story()
    button = f"{reverse(DELIVERY_REPLAY)}?id={told.venue.pk}"
    assert f'href="{button}"' in operator.get(page_of(Delivery, told.venue.pk)).content.decode()
    asked = operator.get(button)
    content = asked.content.decode()
    assert "shop.tasks.tell_venue for EDX-1" in content
    assert "keeps its idempotency key" in content
    told.venue.refresh_from_db()
    assert told.venue.state == Delivery.State.DEAD  # asking does nothing
    assert "is due again" in confirm(operator, asked)
    told.venue.refresh_from_db()
    assert (told.venue.state, told.venue.generation, told.venue.attempts) == (Delivery.State.PENDING, 1, 0)
    assert told.venue.idempotency_key == told.venue.pk.hex
    assert published == [("shop.tasks.tell_venue", (told.venue.pk.hex,))]


def test_it_is_kept_who_replayed_what(operator: Client) -> None:
    told = story()
    confirm(operator, ask(operator, DELIVERY_REPLAY, told.venue))
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(told.venue.pk), "Replayed.")
    assert (
        "Replayed." in operator.get(reverse("admin:deliveries_delivery_history", args=[told.venue.pk])).content.decode()
    )


def test_what_succeeded_is_done_again_only_when_it_is_said_twice(operator: Client, published: list[Any]) -> None:
    told = story()
    page = operator.get(page_of(Delivery, told.reserve.pk)).content.decode()
    assert "Replay by force…" in page
    asked = ask(operator, DELIVERY_REPLAY, told.reserve)
    assert "done a second time" in asked.content.decode()
    assert "Nothing was replayed" in confirm(operator, asked)
    assert published == []
    assert "is due again" in confirm(operator, asked, force_too="1")
    told.reserve.refresh_from_db()
    assert told.reserve.state == Delivery.State.PENDING
    assert told.reserve.idempotency_key != told.reserve.pk.hex


def test_several_are_replayed_by_the_action(operator: Client, published: list[Any]) -> None:
    stories = [story(number) for number in range(1, 4)]
    dead = [told.venue for told in stories]
    asked = choose(operator, list_of(Delivery, state="dead"), *dead)
    assert asked.status_code == 200
    assert published == []
    assert "3 were replayed" in confirm(operator, asked)
    assert {task[1][0] for task in published} == {each.pk.hex for each in dead}
    assert Delivery.objects.filter(state=Delivery.State.PENDING, generation=1).count() == 3


def test_the_action_says_what_it_leaves_alone(operator: Client, published: list[Any]) -> None:
    told = story()
    asked = choose(operator, list_of(Delivery), told.venue, told.reserve, told.ticket)
    content = asked.content.decode()
    assert "1 will be replayed" in content
    assert "1 succeeded already" in content
    assert "1 will be left alone" in content
    assert "It is pending: it runs by itself." in content
    confirm(operator, asked)
    assert published == [("shop.tasks.tell_venue", (told.venue.pk.hex,))]


def test_after_the_action_the_list_is_filtered_as_before(operator: Client) -> None:
    dead = [story(number).venue for number in (1, 2)]
    asked = choose(operator, list_of(Delivery, state="dead"), *dead)
    response = operator.post(
        asked.context["address"],
        {"again": [plan.value for plan in asked.context["again"]], "back": asked.context["back"]},
    )
    assert response["Location"] == list_of(Delivery, state="dead")


def test_all_rows_of_a_filtered_list_can_be_chosen_up_to_a_limit(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST_AT_ONCE", 2)
    dead = [story(number).venue for number in range(1, 4)]
    asked = choose(operator, list_of(Delivery, state="dead"), dead[0], select_across="1")
    assert "These are the first 2" in asked.content.decode()
    assert len(asked.context["again"]) == 2
    assert "2 were replayed" in confirm(operator, asked)


@pytest.mark.parametrize("permissions", [VIEW_ALL, ("console.replay",), (*VIEW_ALL, "console.view_private")])
def test_without_the_permission_there_is_no_way_to_replay(permissions: tuple[str, ...], published: list[Any]) -> None:
    told = story()
    client = client_of(*permissions)
    if "deliveries.view_delivery" in permissions:
        assert reverse(DELIVERY_REPLAY) not in client.get(page_of(Delivery, told.venue.pk)).content.decode()
        assert "replay_selected" not in client.get(list_of(Delivery)).content.decode()
    assert choose(client, list_of(Delivery), told.venue).status_code == 403
    for route, row in ((DELIVERY_REPLAY, told.venue), (EVENT_REPLAY, told.event)):
        assert ask(client, route, row).status_code == 403
        assert client.post(reverse(route), {"again": [f"{row.pk}:0"]}).status_code == 403
    told.venue.refresh_from_db()
    assert told.venue.state == Delivery.State.DEAD
    assert published == []


def test_who_is_not_logged_in_is_asked_to(published: list[Any]) -> None:
    response = Client().post(reverse(DELIVERY_REPLAY), {"again": [f"{story().venue.pk}:0"]})
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert published == []


def test_a_form_from_elsewhere_is_refused(operator: Client, published: list[Any]) -> None:
    told = story()
    operator.handler.enforce_csrf_checks = True
    assert operator.post(reverse(DELIVERY_REPLAY), {"again": [f"{told.venue.pk}:0"]}).status_code == 403
    assert published == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"generation": 1}, "has changed since the page was shown"),
        ({"state": "pending"}, "has changed since the page was shown"),
        ({"state": "succeeded"}, "is succeeded, not dead"),
    ],
)
def test_what_changed_since_it_was_shown_is_left_alone(
    operator: Client, published: list[Any], changes: dict[str, Any], says: str
) -> None:
    told = story()
    asked = ask(operator, DELIVERY_REPLAY, told.venue)
    Delivery.objects.filter(pk=told.venue.pk).update(**changes)
    assert says in confirm(operator, asked)
    assert published == []


def test_the_same_form_sent_twice_replays_once(operator: Client, published: list[Any]) -> None:
    told = story()
    asked = ask(operator, DELIVERY_REPLAY, told.reserve)
    confirm(operator, asked, force_too="1")
    Delivery.objects.filter(pk=told.reserve.pk).update(state=Delivery.State.SUCCEEDED)  # a quick worker
    assert "has changed" in confirm(operator, asked, force_too="1")
    assert len(published) == 1


def test_a_delivery_without_payload_cannot_be_replayed(operator: Client) -> None:
    told = story()
    Dispatch.objects.filter(pk=told.reserved.pk).update(payload=None)
    asked = ask(operator, DELIVERY_REPLAY, told.venue)
    assert "has no payload" in asked.content.decode()
    assert 'type="submit" value="Replay"' not in asked.content.decode()
    assert "Replay…" not in operator.get(page_of(Delivery, told.venue.pk)).content.decode()
    response = operator.post(reverse(DELIVERY_REPLAY), {"again": [f"{told.venue.pk}:0"]}, follow=True)
    assert response.status_code == 200


def test_nonsense_becomes_a_message(operator: Client) -> None:
    for query in ({}, {"id": "nonsense"}, {"id": "0190a6b2-7c3e-7000-8000-000000000000"}):
        response = operator.get(reverse(DELIVERY_REPLAY), query, follow=True)
        assert "Nothing was chosen" in response.content.decode()
    response = operator.post(reverse(DELIVERY_REPLAY), {"again": ["x", ":", "0190a6b27c3e70008000000000000000:0"]})
    assert response.status_code == 302


class _Shop:
    """What the stand-in for a provider's plugin does with an event; tests change `mended`."""

    mended = True
    refuses = False


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Shop]:
    shop, signal = _Shop(), CoordinatorSignal(SeatSold, subject="order_number", name=f"{__name__}.seat_sold")

    def build(event: ProviderEvent, account: str) -> dict[str, Any]:
        if not shop.mended:
            raise EventNotUnderstood("buyers is missing.")
        return payload(7)

    before = dict(WebhookView.by_provider)

    class ShopView(WebhookView):
        provider = "shop"
        signals = {"seat.sold": (signal, build)}

        def parse(self, body: bytes) -> ProviderEvent:
            if shop.refuses:
                raise WebhookRefused("body_not_json", "The body is not JSON.")
            return ProviderEvent(event_id="evt_7", event_type="seat.sold", data={})

    yield shop
    WebhookView.by_provider.clear()
    WebhookView.by_provider.update(before)


def failed_event() -> InboxEvent:
    row = story(7).event
    InboxEvent.objects.filter(pk=row.pk).update(state=InboxEvent.State.FAILED, reason="Once it failed.")
    Dispatch.objects.filter(event=row).update(event=None)
    row.refresh_from_db()
    return row


def test_a_failed_event_is_replayed_by_its_button(operator: Client, shop: _Shop) -> None:
    row = failed_event()
    page = operator.get(page_of(InboxEvent, row.pk)).content.decode()
    assert f"{reverse(EVENT_REPLAY)}?id={row.pk}" in page
    asked = ask(operator, EVENT_REPLAY, row)
    assert "Once it failed." in asked.content.decode()
    assert "evt_7 is sent now." in confirm(operator, asked)
    assert Dispatch.objects.get(event=row).subject == "EDX-7"


def test_a_failed_event_is_replayed_by_the_action(operator: Client, shop: _Shop) -> None:
    row = failed_event()
    assert "evt_7 is sent now." in confirm(operator, choose(operator, list_of(InboxEvent, state="failed"), row))


def test_an_event_that_fails_again_says_why(operator: Client, shop: _Shop) -> None:
    row = failed_event()
    shop.mended = False
    assert "evt_7 is failed now. buyers is missing." in confirm(operator, ask(operator, EVENT_REPLAY, row))


def test_an_event_that_cannot_be_replayed_becomes_a_message(operator: Client, shop: _Shop) -> None:
    row = failed_event()
    asked = ask(operator, EVENT_REPLAY, row)
    shop.refuses = True
    assert "The body is not JSON." in confirm(operator, asked)
    WebhookView.by_provider.pop("shop")
    assert "No installed plugin takes events of shop." in confirm(operator, asked)
    InboxEvent.objects.filter(pk=row.pk).update(raw_body=None, body_kept=False)
    assert "retention or a retirement has emptied it" in confirm(operator, asked)
    InboxEvent.objects.filter(pk=row.pk).update(state=InboxEvent.State.SENT)
    assert "only failed and ignored events are replayed" in confirm(operator, asked)


def test_an_event_that_did_not_fail_has_no_button(operator: Client) -> None:
    told = story()
    assert "Replay…" not in operator.get(page_of(InboxEvent, told.event.pk)).content.decode()
    assert "will be left alone" in ask(operator, EVENT_REPLAY, told.event).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_after_the_deed_leaves_the_others_their_turn(operator: Client) -> None:
    """Nobody is told that it was not done, nor shown an error's page while the rest waits."""
    one, other = story(1).venue, story(2).venue
    with inserts_fail(LogEntry, DatabaseError("The log is full.")):
        told = confirm(operator, ask(operator, DELIVERY_REPLAY, one, other))
    assert "See whether it was done before you try again." in told
    assert {each.state for each in Delivery.objects.filter(pk__in=[one.pk, other.pk])} == {"pending"}
    assert LogEntry.objects.count() == 1
