"""What an operator types: the map, the whole way of an event, the list of deliveries, replay, and the relay."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.core.management import call_command, load_command_class
from openedx_filters import PipelineStep

from commerce_coordinator.console.supervisor import ROOT
from commerce_coordinator.core.clients import ApiClient
from commerce_coordinator.core.deliveries import inline, publish
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, Heartbeat, OperatorAct
from commerce_coordinator.core.deliveries.tasks import CANARY_TASK
from commerce_coordinator.core.exceptions import EventNotUnderstood, GiveUp, Retry
from commerce_coordinator.core.filters import CoordinatorFilter, defined
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView, interpret, keep
from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.signals.registry import by_name
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test
from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.payloads.base import Payload, PrivateText

from .typed import Typed

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class SeatSold(Payload):
    order_number: str
    seat: str
    username: PrivateText
    email: PrivateText


class SeatReserved(Payload):
    order_number: str
    seat: str


class FarSide(requests.Session):
    """Answers without a network: 200, or what the test says."""

    statuses: list[int] = []

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = self.statuses.pop(0) if self.statuses else 200
        response._content = b'{"message": "secret-of-the-venue"}'
        return response


@pytest.fixture
def shop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A plugin: seat_sold -> reserve_seat (calls the venue, sends on) and note_sale; seat_reserved -> print_ticket."""
    with plugin_of_a_test() as plugin:
        for each in list(registry._signals):
            if not each.name.startswith("commerce_coordinator."):
                registry._signals.discard(each)  # another test's, which the garbage collector has not come to
        plugin.signal("seat_sold", SeatSold, subject="order_number", unique_by=["order_number", "seat"])
        plugin.signal("seat_reserved", SeatReserved, subject="order_number")
        far_side = FarSide()
        monkeypatch.setattr(far_side, "statuses", [])
        plugin.venue = far_side

        @plugin.task(sends=["test_shop.seat_reserved"])
        def reserve_seat(order_number: str, seat: str, username: str) -> None:
            client = ApiClient(far_side, url_root="http://venue.test/api", connect_timeout=1, read_timeout=1)
            client.call("PUT", "seats/{seat}/{name}", parts={"seat": seat}, private_parts={"name": username})
            plugin.module.seat_reserved.send_robust(sender="test", order_number=order_number, seat=seat)

        @plugin.task(schedule=[60])
        def print_ticket(order_number: str) -> None:
            if plugin.errors:
                raise plugin.errors.pop(0)

        @plugin.receiver
        def note_sale(order_number: str) -> None:
            if order_number == "EDX-BROKEN":
                raise ValueError("secret-of-the-venue")

        plugin.errors = []
        plugin.map = {
            "test_shop.seat_sold": ["test_shop.reserve_seat", "test_shop.note_sale"],
            "test_shop.seat_reserved": ["test_shop.print_ticket"],
        }
        settings.CC_SIGNALS = plugin.whole_map

        class ShopView(WebhookView):
            provider = "test_shop"
            signals = {"sold": (plugin.module.seat_sold, build)}

            def parse(self, body: bytes) -> ProviderEvent:
                data = json.loads(body)
                return ProviderEvent(event_id=data["id"], event_type="sold", data=data)

        plugin.view = ShopView
        try:
            with plugin.routed(seat_sold=["reserve_seat", "note_sale"], seat_reserved=["print_ticket"]):
                yield plugin
        finally:
            del WebhookView.by_provider["test_shop"]


def build(event: ProviderEvent, account: str) -> dict[str, Any]:
    if "seat" not in event.data:
        raise EventNotUnderstood("seat is missing.")
    buyer = {"username": "ann-the-learner", "email": "ann@example.com"}
    return {"order_number": event.data["order"], "seat": event.data["seat"], **buyer}


@pytest.fixture
def sold(shop: Any) -> Any:
    """`sold("EDX-1")`: an event of that order came in; what follows is run. Returns its row."""

    def receive(order: str = "EDX-1", *, run: bool = True, account: str = "", **changes: Any) -> InboxEvent:
        data = {"id": f"evt_{order}", "order": order, "seat": "A1", **changes}
        body = json.dumps({name: value for name, value in data.items() if value is not None}).encode()
        view = shop.view()
        event = view.parse(body)
        row, recorded = keep(view, event, body=body, account=account, trace_id=uuid.uuid4().hex)
        assert row is not None
        for each in recorded:
            inline.run(each)
        if run:
            run_deliveries()
        return row

    return receive


def delivery_of(receiver: str) -> Delivery:
    return Delivery.objects.get(receiver=f"test_shop.{receiver}")


# --- routes ---


def test_routes_shows_what_follows_from_what(shop: Any) -> None:
    shown = Typed("routes")
    assert shown.failure == ""
    text = "\n".join(shown.lines)
    assert (
        "test_shop.seat_sold\n"
        "├─ test_shop.reserve_seat  [task]\n"
        "│  └─ test_shop.seat_reserved\n"
        "│     └─ test_shop.print_ticket  [task]\n"
        "└─ test_shop.note_sale  [inline]\n"
    ) in text
    assert shown.lines[-1].startswith("Map ")
    assert f"; signals: {len(by_name())}, filters: " in shown.lines[-1]


def test_routes_names_signals_that_nobody_gets(shop: Any, settings: Any) -> None:
    settings.CC_SIGNALS = {**shop.whole_map, "test_shop.seat_sold": []}
    assert "test_shop.seat_sold  (unrouted: what is sent waits for an operator)" in Typed("routes").lines
    by_name()["test_shop.seat_sold"].needs_receiver = False
    assert "test_shop.seat_sold  (dead end: needs no receiver)" in Typed("routes").lines


def test_routes_as_json_is_the_map(shop: Any) -> None:
    told = Typed("routes", "--json").json["signals"]
    assert set(told) == set(by_name())
    assert told["test_shop.seat_sold"] == [
        {"receiver": "test_shop.reserve_seat", "kind": "task", "sends": ["test_shop.seat_reserved"]},
        {"receiver": "test_shop.note_sale", "kind": "inline", "sends": []},
    ]
    assert told["test_shop.seat_reserved"] == [{"receiver": "test_shop.print_ticket", "kind": "task", "sends": []}]


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_routes_of_a_wrong_map_shows_what_resolves_and_every_mistake(
    shop: Any, settings: Any, option: list[str]
) -> None:
    settings.CC_SIGNALS = {
        **shop.whole_map,
        "test_shop.seat_sold": ["test_shop.gone", "test_shop.note_sale"],
        "nowhere.signals.lost": [],
    }
    shown = Typed("routes", *option)
    assert "test_shop.note_sale" in shown.out
    assert "2 mistakes" in shown.failure
    assert "cc.E001: test_shop.gone" in shown.failure
    assert "cc.E001: nowhere.signals.lost" in shown.failure
    assert shown.failure.count("HINT: ") == 2


def test_routes_that_go_round_are_shown_once_round(shop: Any, settings: Any) -> None:
    @shop.task(sends=["test_shop.seat_reserved"])
    def change_seat(order_number: str) -> None:
        pass

    settings.CC_SIGNALS = {**shop.whole_map, "test_shop.seat_reserved": ["test_shop.change_seat"]}
    shown = Typed("routes")
    assert "cc.E027: test_shop.seat_reserved sends itself again, for ever" in shown.failure
    assert "test_shop.seat_reserved (see above: it goes round)" in shown.out


def test_routes_shows_signals_that_only_a_circle_sends(shop: Any, settings: Any) -> None:
    @shop.task(sends=["test_shop.seat_reserved"])
    def change_seat(order_number: str) -> None:
        pass

    settings.CC_SIGNALS = {
        **shop.whole_map,
        "test_shop.seat_sold": [],
        "test_shop.seat_reserved": ["test_shop.change_seat"],
    }
    assert "test_shop.change_seat  [task]" in Typed("routes").out


def price_list(shop: Any, settings: Any) -> str:
    """A filter with two steps, and one that nobody answers. Returns the type of the former."""
    module = "commerce_coordinator.core.signals.tests.of_a_test"
    asked = "org.edx.coordinator.signals.seat_price.requested.v1"
    for filter_type in (asked, "org.edx.coordinator.signals.seat_view.requested.v1"):
        type(filter_type.split(".")[4], (CoordinatorFilter,), {"filter_type": filter_type, "__module__": module})
    for name in ("PriceList", "Discount"):
        step = type(name, (PipelineStep,), {"run_filter": lambda self, **asked: {}, "__module__": "test_shop"})
        shop.keep(name, step)
    settings.OPEN_EDX_FILTERS_CONFIG = {
        **settings.OPEN_EDX_FILTERS_CONFIG,
        asked: {"fail_silently": False, "pipeline": ["test_shop.PriceList", "test_shop.Discount"]},
        "org.edx.coordinator.signals.seat_view.requested.v1": {"fail_silently": False, "pipeline": []},
    }
    return asked


def test_routes_shows_which_steps_answer_which_filter(shop: Any, settings: Any) -> None:
    asked = price_list(shop, settings)
    shown = Typed("routes")
    assert shown.failure == ""
    assert f"{asked}\n├─ test_shop.PriceList  [step]\n└─ test_shop.Discount  [step]\n" in shown.out
    assert "org.edx.coordinator.signals.seat_view.requested.v1  (answered by nobody)" in shown.lines
    assert shown.lines[-1].endswith(f", filters: {len(settings.OPEN_EDX_FILTERS_CONFIG)}.")


def test_routes_as_json_has_the_filters_too(shop: Any, settings: Any) -> None:
    asked = price_list(shop, settings)
    told = Typed("routes", "--json").json["filters"]
    assert set(told) == set(settings.OPEN_EDX_FILTERS_CONFIG)
    assert told[asked] == ["test_shop.PriceList", "test_shop.Discount"]


def test_routes_of_wrong_filters_shows_what_resolves_and_the_mistake(shop: Any, settings: Any) -> None:
    asked = price_list(shop, settings)
    pipeline = ["test_shop.PriceList", "test_shop.Gone"]
    entry = {"fail_silently": False, "pipeline": pipeline}
    settings.OPEN_EDX_FILTERS_CONFIG = {**settings.OPEN_EDX_FILTERS_CONFIG, asked: entry}
    shown = Typed("routes")
    assert f"{asked}\n└─ test_shop.PriceList  [step]\n" in shown.out
    assert f"cc.E015: test_shop.Gone of {asked} does not resolve" in shown.failure


# --- trace ---


def test_trace_tells_the_whole_way_of_an_event(sold: Any) -> None:
    event = sold()
    shown = Typed("trace", event.event_id)
    assert shown.failure == ""
    hops = [
        "✔ event test_shop sold evt_EDX-1   sent",
        f"trace {event.trace_id}",
        "└─ signal test_shop.seat_sold EDX-1",
        "├─ ✔ test_shop.reserve_seat   succeeded",
        "✔ attempt 1   succeeded in ",
        "PUT /api/seats/A1/{name}   200   ",
        "signal test_shop.seat_reserved EDX-1",
        "✔ test_shop.print_ticket   succeeded",
        "✔ attempt 1   succeeded in ",
        "└─ ✔ test_shop.note_sale   succeeded",
    ]
    at = 0
    for hop in hops:
        assert hop in shown.out[at:], f"{hop}\n{shown.out}"
        at = shown.out.index(hop, at)
    assert len(shown.lines) == 9


def test_trace_as_json_is_nested_as_the_story_went(sold: Any) -> None:
    event = sold()
    [story] = Typed("trace", event.event_id, "--json").json
    assert story["event"]["id"] == str(event.pk)
    assert (story["event"]["type"], story["event"]["state"]) == ("sold", "sent")
    assert (story["trace_id"], story["settled"], story["succeeded"]) == (event.trace_id, True, True)
    [dispatch] = story["dispatches"]
    assert (dispatch["signal"], dispatch["subject"], dispatch["origin"]) == ("test_shop.seat_sold", "EDX-1", "command")
    reserve, note = dispatch["deliveries"]
    assert (note["receiver"], note["kind"], note["attempts"]) == ("test_shop.note_sale", "inline", [])
    [attempt] = reserve["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["error_class"]) == (1, "succeeded", "")
    [call] = attempt["calls"]
    assert {**call, "ms": 0} == {"method": "PUT", "path": "/api/seats/A1/{name}", "status": 200, "error": None, "ms": 0}
    [sent_on] = attempt["sent"]
    assert sent_on["signal"] == "test_shop.seat_reserved"
    assert sent_on["deliveries"][0]["receiver"] == "test_shop.print_ticket"


def test_any_id_of_a_story_tells_the_same_story(sold: Any) -> None:
    event = sold()
    sold("EDX-2")
    reserved = Dispatch.objects.filter(signal="test_shop.seat_reserved").first()
    assert reserved is not None
    references = [
        event.event_id,
        event.trace_id,
        "EDX-1",
        "  EDX-1 ",
        str(event.pk),
        event.pk.hex,
        str(event.pk).upper(),
        str(reserved.pk),
        str(reserved.parent_id),
        *(str(each.pk) for each in Delivery.objects.filter(dispatch__trace_id=event.trace_id)),
    ]
    stories = [Typed("trace", reference).out for reference in references]
    assert stories == [stories[0]] * len(stories)
    assert "EDX-2" not in stories[0]


def test_order_of_two_events_tells_both_stories_oldest_first(sold: Any) -> None:
    first = sold()
    second = sold(id="evt_second", seat="B2")
    assert [each["event"]["id"] for each in Typed("trace", "EDX-1", "--json").json] == [str(first.pk), str(second.pk)]


def test_signal_that_was_sent_without_an_event_has_a_story_too(shop: Any) -> None:
    shop.module.seat_reserved.send_robust(sender="test", order_number="EDX-7", seat="A1")
    run_deliveries()
    shown = Typed("trace", "EDX-7")
    assert shown.lines[0].startswith("signal sent without an event   trace ")
    assert "✔ test_shop.print_ticket   succeeded" in shown.out
    [story] = Typed("trace", "EDX-7", "--json").json
    assert (story["event"], story["succeeded"]) == (None, True)


def test_event_without_a_signal_is_told_with_the_reason(sold: Any) -> None:
    sold(seat=None)
    shown = Typed("trace", "evt_EDX-1")
    assert shown.lines[0].startswith("✘ event test_shop sold evt_EDX-1   failed (seat is missing.)")
    assert len(shown.lines) == 1


def test_failures_are_told_by_class_with_the_next_attempt(shop: Any, sold: Any) -> None:
    shop.errors[:] = [Retry("secret-of-the-venue")]
    sold()
    shown = Typed("trace", "EDX-1")
    assert "… test_shop.print_ticket   pending, next attempt at " in shown.out
    assert "↻ attempt 1   retry in " in shown.out
    [story] = Typed("trace", "EDX-1", "--json").json
    assert (story["settled"], story["succeeded"]) == (False, False)


def test_dead_end_is_told(shop: Any, sold: Any) -> None:
    shop.venue.statuses[:] = [400]
    sold()
    shown = Typed("trace", "EDX-1")
    assert "✘ test_shop.reserve_seat   dead after " in shown.out
    assert "PUT /api/seats/A1/{name}   400" in shown.out
    assert "✘ attempt 1   dead in " in shown.out
    assert "GiveUp" in shown.out
    [story] = Typed("trace", "EDX-1", "--json").json
    assert (story["settled"], story["succeeded"]) == (True, False)


@pytest.fixture
def asked_in_an_attempt(shop: Any, settings: Any) -> Any:
    """print_ticket asks for the price: the price list calls the venue, and then no discount is given."""
    filter_type = price_list(shop, settings)
    question = defined[filter_type]

    def look_up(self: Any, **asked: Any) -> dict[str, Any]:
        client = ApiClient(shop.venue, url_root="http://venue.test/api", connect_timeout=1, read_timeout=1)
        client.call("GET", "prices/{name}", private_parts={"name": "ann-the-learner"})
        return {"price": 5}

    def give_none(self: Any, **asked: Any) -> dict[str, Any]:
        raise KeyError("secret-of-the-venue")

    shop.module.PriceList.run_filter, shop.module.Discount.run_filter = look_up, give_none

    @shop.task
    def print_ticket(order_number: str) -> None:
        question.ask(name="ann-the-learner")

    with shop.routed(seat_sold=["print_ticket"]):
        shop.module.seat_sold.send_robust(
            sender="test", order_number="EDX-9", seat="A1", username="ann-the-learner", email="ann@example.com"
        )
        run_deliveries()


def test_steps_stand_in_the_trace_with_what_they_called_below_them(asked_in_an_attempt: Any) -> None:
    shown = Typed("trace", "EDX-9").out
    assert re.search(
        r"""↻ attempt 1   retry in .*   KeyError
 +├─ ✔ step test_shop\.PriceList   answered in \d+ ms
 +│  └─ GET /api/prices/\{name\}   200   \d+ ms
 +└─ ✘ step test_shop\.Discount   failed in \d+ ms   KeyError
""",
        shown,
    ), shown


def test_steps_stand_in_the_trace_for_programs_in_their_order(asked_in_an_attempt: Any) -> None:
    [story] = Typed("trace", "EDX-9", "--json").json
    [attempt] = story["dispatches"][0]["deliveries"][0]["attempts"]
    first, call, second = attempt["calls"]
    assert (first.pop("ms") >= 0, call.pop("ms") >= 0, second.pop("ms") >= 0) == (True, True, True)
    filter_type = "org.edx.coordinator.signals.seat_price.requested.v1"
    of_a_step = {"filter": filter_type, "error": None, "inside": 0}
    assert first == {**of_a_step, "step": "test_shop.PriceList", "outcome": "answered", "inside": 1}
    assert call == {"method": "GET", "path": "/api/prices/{name}", "status": 200, "error": None}
    assert second == {**of_a_step, "step": "test_shop.Discount", "outcome": "failed", "error": "KeyError"}


def test_inline_receiver_that_failed_is_told(sold: Any) -> None:
    sold("EDX-BROKEN")
    assert "✘ test_shop.note_sale   dead after " in Typed("trace", "EDX-BROKEN").out


def test_first_run_of_an_inline_receiver_stands_before_its_replay(sold: Any) -> None:
    sold("EDX-BROKEN")
    noted = delivery_of("note_sale")
    Typed("replay", str(noted.pk), "--set-aside")
    assert "first run" not in Typed("trace", "EDX-BROKEN").out
    Typed("replay", str(noted.pk))
    shown = Typed("trace", "EDX-BROKEN").out
    assert shown.index("✘ first run, inline: dead") < shown.index("replay 1 by ")
    OperatorAct.objects.filter(generation=1).update(kind="forced")
    assert "✔ first run, inline: succeeded" in Typed("trace", "EDX-BROKEN").out


def test_replayed_attempts_are_told_apart(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("secret-of-the-venue")]
    sold()
    Typed("replay", str(delivery_of("print_ticket").pk))
    run_deliveries()
    shown = Typed("trace", "EDX-1")
    assert shown.out.index("✘ attempt 1   dead") < shown.out.index("✔ attempt 1 of replay 1   succeeded")


def test_who_replayed_and_when_stands_before_the_attempts_of_the_replay(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("secret-of-the-venue")]
    sold()
    printed = delivery_of("print_ticket")
    Typed("replay", str(printed.pk), "--why", "the-guest-called")
    run_deliveries()
    act = OperatorAct.objects.get(delivery=printed)
    shown = Typed("trace", "EDX-1").out
    first, told, second = (
        shown.index(each)
        for each in ("✘ attempt 1   dead", f"replay 1 by {act.who}, {act.acted_at:%H:%M:%S}", "✔ attempt 1 of replay 1")
    )
    assert first < told < second
    assert "the-guest-called" not in shown
    [story] = Typed("trace", "EDX-1", "--json").json
    told = {"kind": "replayed", "generation": 1, "who": act.who, "at": act.acted_at.isoformat()}
    assert json.dumps([told]) in json.dumps(story)


GARBAGE = ["nobody", "evt_", "0" * 32, str(uuid.UUID(int=0)), "x" * 5000, "'; DROP TABLE x", "%", "_" * 9, "学", "{}"]


@pytest.mark.parametrize("reference", GARBAGE, ids=lambda each: each[:12])
def test_trace_of_what_nobody_knows_fails_and_says_what_to_give(sold: Any, reference: str) -> None:
    sold()
    shown = Typed("trace", reference)
    assert shown.out == ""
    assert "Nothing is known of" in shown.failure
    assert "deliveries" in shown.failure


@pytest.mark.parametrize("reference", ["", "   "])
def test_trace_of_nothing_tells_no_story(shop: Any, sold: Any, reference: str) -> None:
    sold(order="")  # an order without a number, so that an empty reference would match it
    shown = Typed("trace", reference)
    assert shown.out == ""
    assert shown.failure


def test_trace_of_what_nobody_knows_is_an_empty_list_for_programs(db: None) -> None:
    shown = Typed("trace", "nobody", "--json")
    assert shown.json == []
    assert shown.failure


# --- deliveries ---


def test_deliveries_are_listed_newest_first(sold: Any) -> None:
    sold()
    sold("EDX-2")
    shown = Typed("deliveries")
    assert [line.split()[0] for line in shown.lines] == [str(each.pk) for each in Delivery.objects.order_by("-id")]
    assert len(shown.lines) == 6
    first = shown.lines[0].split()
    assert first[1:4] == ["succeeded", "test_shop.print_ticket", "EDX-2"]


def test_deliveries_are_picked_by_state_receiver_and_order(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("secret-of-the-venue")]
    sold()
    sold("EDX-2")

    def receivers(*options: str) -> list[tuple[str, str]]:
        found = Typed("deliveries", "--json", *options).json
        return [(each["receiver"].partition(".")[2], each["subject"]) for each in found]

    assert receivers("--state", "dead") == [("print_ticket", "EDX-1")]
    assert receivers("--receiver", "test_shop.print_ticket") == [("print_ticket", "EDX-2"), ("print_ticket", "EDX-1")]
    assert len(receivers("--order", "EDX-2")) == 3
    assert receivers("--order", "EDX-2", "--receiver", "test_shop.print_ticket", "--state", "dead") == []
    assert len(receivers("--limit", "2")) == 2


def test_list_of_the_dead_says_why_by_class_alone(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("secret-of-the-venue")]
    sold()
    [line] = Typed("deliveries", "--state", "dead").lines
    assert line.startswith(str(delivery_of("print_ticket").pk))
    assert line.endswith("GiveUp")


def test_deliveries_as_json_have_one_shape(sold: Any) -> None:
    sold()
    row = delivery_of("reserve_seat")
    [told] = Typed("deliveries", "--json", "--receiver", row.receiver).json
    assert row.settled_at is not None
    assert told == {
        "id": str(row.pk),
        "state": "succeeded",
        "receiver": "test_shop.reserve_seat",
        "signal": "test_shop.seat_sold",
        "subject": "EDX-1",
        "trace_id": row.dispatch.trace_id,
        "attempts": 1,
        "generation": 0,
        "error_class": "",
        "created_at": row.created_at.isoformat(),
        "next_attempt_at": row.next_attempt_at.isoformat(),
        "settled_at": row.settled_at.isoformat(),
    }


def test_empty_list_is_no_failure(db: None) -> None:
    shown = Typed("deliveries", "--state", "dead")
    assert (shown.out, shown.err.strip(), shown.failure) == ("", "No delivery matches.", "")
    assert Typed("deliveries", "--json").json == []


@pytest.mark.parametrize("limit", ["0", "-1", "-50"])
def test_limit_below_one_is_refused(db: None, limit: str) -> None:
    assert "--limit" in Typed("deliveries", f"--limit={limit}").failure


@pytest.mark.parametrize("option", ["--state=lost", "--state=", "--limit=many", "--limit=1.5", "--colour=red"])
def test_options_that_make_no_sense_are_refused(db: None, option: str) -> None:
    assert Typed("deliveries", option).failure.startswith("Error: ")


def test_list_costs_one_statement_however_long(sold: Any, django_assert_num_queries: Any) -> None:
    for number in range(3):
        sold(f"EDX-{number}")
    with django_assert_num_queries(1):
        Typed("deliveries")


# --- replay ---


def test_dead_delivery_is_due_again(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("secret-of-the-venue")]
    sold()
    dead = delivery_of("print_ticket")
    shown = Typed("replay", str(dead.pk))
    assert shown.lines == [f"{dead.pk}: test_shop.print_ticket for EDX-1 is due again, as replay 1."]
    assert shown.failure == ""
    dead.refresh_from_db()
    assert (dead.state, dead.generation, dead.attempts) == ("pending", 1, 0)
    assert [each.state for each in run_deliveries()] == ["succeeded"]


def test_several_are_replayed_and_what_cannot_be_is_told(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("x")]
    sold()
    dead, well = delivery_of("print_ticket"), delivery_of("reserve_seat")
    shown = Typed("replay", "garbage", str(well.pk), str(dead.pk), "--json")
    assert shown.failure == "2 of 3 not replayed."
    garbage, refused, replayed = shown.json
    assert (garbage["id"], garbage["replayed"]) == ("garbage", False)
    assert "No delivery, dispatch or event" in garbage["message"]
    assert (refused["replayed"], refused["id"]) == (False, str(well.pk))
    assert "--force" in refused["message"]
    message = "test_shop.print_ticket for EDX-1 is due again, as replay 1."
    assert replayed == {"id": str(dead.pk), "replayed": True, "message": message}


@pytest.mark.parametrize("reference", GARBAGE, ids=lambda each: each[:12])
def test_replay_of_what_nobody_knows_fails_and_says_where_ids_are(sold: Any, reference: str) -> None:
    sold()
    shown = Typed("replay", reference)
    assert shown.failure == "1 of 1 not replayed."
    assert "manage.py deliveries" in shown.out


def test_succeeded_delivery_is_replayed_by_force_alone_and_under_a_new_key(sold: Any) -> None:
    sold()
    well = delivery_of("print_ticket")
    assert Typed("replay", str(well.pk)).failure
    well.refresh_from_db()
    assert well.state == "succeeded"
    assert Typed("replay", str(well.pk), "--force").failure == ""
    forced = delivery_of("print_ticket")
    assert (forced.state, forced.generation) == ("pending", 1)
    assert forced.idempotency_key != well.idempotency_key


def test_dead_delivery_keeps_its_key_even_by_force(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("x")]
    sold()
    dead = delivery_of("print_ticket")
    Typed("replay", str(dead.pk), "--force")
    assert delivery_of("print_ticket").idempotency_key == dead.idempotency_key


@pytest.mark.parametrize("option", [[], ["--force"]])
@pytest.mark.parametrize("state", ["pending", "running"])
def test_delivery_in_flight_is_not_replayed_even_by_force(sold: Any, state: str, option: list[str]) -> None:
    sold(run=False)
    Delivery.objects.filter(receiver="test_shop.reserve_seat").update(state=state)
    waiting = delivery_of("reserve_seat")
    shown = Typed("replay", str(waiting.pk), *option)
    assert f"is {state}, not dead" in shown.out
    assert shown.failure
    assert delivery_of("reserve_seat").generation == 0


def test_delivery_whose_payload_is_gone_is_not_replayed(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("x")]
    sold()
    Dispatch.objects.update(payload=None)
    shown = Typed("replay", str(delivery_of("print_ticket").pk))
    assert "no payload" in shown.out
    assert shown.failure


def test_same_delivery_named_twice_is_replayed_once(shop: Any, sold: Any) -> None:
    shop.errors[:] = [GiveUp("x")]
    sold()
    key = str(delivery_of("print_ticket").pk)
    shown = Typed("replay", key, key, "--json")
    assert [each["replayed"] for each in shown.json] == [True, False]
    assert delivery_of("print_ticket").generation == 1


@pytest.mark.parametrize("by", ["row", "provider"])
def test_failed_event_is_replayed_after_a_fix(shop: Any, sold: Any, monkeypatch: Any, by: str) -> None:
    event = sold(seat=None)
    reference = str(event.pk) if by == "row" else event.event_id
    unmended = Typed("replay", reference)
    assert unmended.lines == [f"{reference}: still failed: seat is missing."]

    def mended(event: ProviderEvent, account: str) -> dict[str, Any]:
        return build(ProviderEvent(event_id="x", event_type="sold", data={**event.data, "seat": "A1"}), account)

    monkeypatch.setattr(shop.view, "signals", {"sold": (shop.module.seat_sold, mended)})
    shown = Typed("replay", reference)
    assert (shown.lines, shown.failure) == ([f"{reference}: evt_EDX-1 is sent now."], "")
    assert Dispatch.objects.get().event_id == event.pk
    again = Typed("replay", reference)
    assert "only failed and ignored events" in again.out
    assert again.failure


def test_event_that_fails_again_is_no_success_for_programs(shop: Any, sold: Any) -> None:
    event = sold(seat=None)
    shown = Typed("replay", event.event_id, "--json")
    assert shown.json == [{"id": event.event_id, "replayed": False, "message": "still failed: seat is missing."}]
    assert shown.failure == "1 of 1 not replayed."


def test_event_id_of_two_accounts_replays_the_one_that_failed(shop: Any, sold: Any) -> None:
    sold(id="evt_7", account="a")
    failed = sold(id="evt_7", account="b", seat=None)
    assert interpret(shop.view(), shop.view().parse(bytes(failed.raw_body or b"")), "b").state == "failed"
    assert "seat is missing" in Typed("replay", "evt_7").out


def test_replay_without_an_id_is_refused(db: None) -> None:
    assert "id" in Typed("replay").failure


# --- relay ---


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    taken: list[str] = []

    def send(self: Any, producer: Any, task: str, arguments: Any, options: Any) -> None:
        if task != CANARY_TASK:
            taken.append(arguments[0])

    monkeypatch.setattr(publish.Publisher, "_send", send)
    return taken


def test_one_round_of_the_relay_publishes_what_is_due_and_does_the_chores(sold: Any, published: list[str]) -> None:
    sold(run=False)
    due = delivery_of("reserve_seat")
    Delivery.objects.filter(pk=due.pk).update(wake_at=due.created_at)
    assert Typed("relay", "--once").failure == ""
    assert published == [due.pk.hex]
    assert delivery_of("reserve_seat").state == "pending", "the relay runs no receiver"
    names = set(Heartbeat.objects.values_list("name", flat=True))
    assert "relay" in names
    assert any(name.startswith("chore:") for name in names)


def test_relay_does_not_start_on_a_wrong_map(shop: Any, settings: Any, published: list[str]) -> None:
    settings.CC_SIGNALS = {**shop.whole_map, "test_shop.seat_sold": ["test_shop.gone"], "nowhere.signals.lost": []}
    shown = Typed("relay", "--once")
    assert "2 mistakes" in shown.failure
    assert "test_shop.gone" in shown.failure
    assert "nowhere.signals.lost" in shown.failure
    assert not Heartbeat.objects.exists()


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "soon"])
def test_relay_refuses_an_interval_that_is_none(shop: Any, interval: str) -> None:
    assert "--interval" in Typed("relay", "--once", f"--interval={interval}").failure


# --- What they teach ---

COMMANDS = ["routes", "trace", "deliveries", "replay", "relay", "run", "celery"]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_the_command_and_every_option(name: str, capsys: Any) -> None:
    parser = load_command_class("commerce_coordinator.console", name).create_parser("manage.py", name)
    assert len(parser.description or "") > 60
    assert parser.description.endswith(".")
    for action in parser._actions:
        assert action.help, action
        assert action.help is argparse.SUPPRESS or len(action.help) > 7, action
    with pytest.raises(SystemExit) as ended:
        call_command(name, "--help")
    assert ended.value.code == 0
    assert parser.description.split()[0] in capsys.readouterr().out


@pytest.mark.parametrize("name", ["routes", "trace", "replay"])
def test_help_says_what_exit_code_1_means(name: str) -> None:
    assert "Exit code 1" in load_command_class("commerce_coordinator.console", name).help


# --- As real processes ---


@pytest.fixture(scope="module")
def manage(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`manage("trace", "x")`: a process of its own, with a fresh SQLite database of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CC_ROLE")}
    environment.update(
        DJANGO_SETTINGS_MODULE="commerce_coordinator.settings.local",
        CC_DATA=str(tmp_path_factory.mktemp("commands")),
        PYTHONUNBUFFERED="1",
    )

    def run(*arguments: str, start: bool = False) -> Any:
        command = [sys.executable, "manage.py", *arguments]
        if start:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)

    migrated = run("migrate", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    return run


@pytest.mark.slow
def test_failure_is_exit_code_1_and_one_line(manage: Any) -> None:
    for arguments in (["trace", "nobody"], ["replay", "nobody"], ["deliveries", "--limit=0"]):
        done = manage(*arguments)
        assert done.returncode == 1, arguments
        assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.slow
def test_success_is_exit_code_0_and_says_nothing_to_standard_error(manage: Any) -> None:
    for arguments in (["routes"], ["routes", "--json"], ["deliveries", "--json"], ["relay", "--once"]):
        done = manage(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_relay_stops_after_its_round_when_asked(manage: Any, number: signal.Signals) -> None:
    process = manage("relay", start=True)
    try:
        lines = [next(process.stdout)]
        while "Relay started." not in lines[-1]:
            lines.append(next(process.stdout))
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert "Relay stopped." in rest
    assert "Traceback" not in "".join(lines) + rest


def test_attempts_are_what_the_trace_is_made_of(sold: Any) -> None:
    sold()
    [story] = Typed("trace", "EDX-1", "--json").json
    told = json.dumps(story)
    assert all(str(each.pk) in told for each in Attempt.objects.all())
