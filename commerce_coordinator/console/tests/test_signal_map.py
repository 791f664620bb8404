"""The page of the signal map: the picture's values and the table say the same, and all links lead to rows."""

import html
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.conftest import WITHOUT
from commerce_coordinator.console import flow_stats
from commerce_coordinator.console.admin.flow import told
from commerce_coordinator.core import ids
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test, shipped_signals_only

from .test_admin_queries import ours
from .test_admin_rows import AT, VIEW_ALL, client_of, delivery, dispatch, stage  # noqa: F401

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)
State = Delivery.State


@pytest.fixture(autouse=True)
def keys_follow_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last", 0)


@pytest.fixture
def shop() -> Any:
    """seat_sold -> reserve_seat -> seat_reserved -> tell_venue; nobody wants seat_lost."""
    with plugin_of_a_test("test_shop") as shop:
        for name in ("seat_sold", "seat_reserved", "seat_lost"):
            shop.signal(name, sent_by="GET /shop/" if name != "seat_reserved" else "")
        shop.signal("seat_seen", needs_receiver=False, sent_by="GET /shop/")

        @shop.task(sends=[shop.path("seat_reserved")])
        def reserve_seat() -> None: ...

        @shop.receiver
        def tell_venue() -> None: ...

        with shop.routed(seat_sold=["reserve_seat"], seat_reserved=["tell_venue"]):
            yield shop


def sold(shop: Any, number: int, state: str = State.SUCCEEDED, taken: int = 180, **values: Any) -> Delivery:
    """A seat sold at AT, and its reservation, settled so many milliseconds later."""
    with time_machine.travel(AT, tick=False):
        first = dispatch(shop.path("seat_sold"), number)
        settled = AT + timedelta(milliseconds=taken) if state in (State.SUCCEEDED, State.DEAD) else None
        return delivery(first, "", receiver=shop.path("reserve_seat"), state=state, settled_at=settled, **values)


def shown(client: Client) -> tuple[str, dict[str, Any]]:
    """The page and the values of its picture."""
    with time_machine.travel(LATER, tick=False):
        answer = client.get("/admin/map/")
    assert answer.status_code == 200
    text = answer.content.decode()
    values = re.search(r'<script id="signal-map-data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert values is not None
    return text, json.loads(values[1])


def node(picture: dict[str, Any], label: str) -> dict[str, Any]:
    return next(each for each in picture["nodes"] if each["label"] == label)


def line(text: str, *names: str) -> str:
    """The table's row that has all these names, as it is read."""
    table = text.partition('id="signal-map-table"')[2]
    bare = re.sub(r"<[^>]*>", " ", re.sub(r"<wbr>", "", table).replace("<tr>", "\0"))
    rows = [re.sub(r"\s+", " ", html.unescape(row)) for row in bare.split("\0")]
    return next(row for row in rows if all(name in row for name in names))


def test_node_says_what_it_is_and_how_it_fares(shop: Any) -> None:
    for number, taken in enumerate((90, 180, 400)):
        sold(shop, number, taken=taken)
    sold(shop, 4, State.DEAD, 200)
    text, picture = shown(client_of(superuser=True))
    receiver = node(picture, "reserve_seat")
    assert receiver["name"] == (
        "delivery task test_shop.reserve_seat, 4 deliveries in 24 h, 25 % failed, median 190 ms"
    )
    assert (receiver["kind"], receiver["tone"], receiver["figures"]) == ("task", "bad", ["4 · 190 ms", "25 % failed"])
    assert receiver["relations"] == "Gets test_shop.seat_sold. Sends test_shop.seat_reserved (not seen)."
    assert node(picture, "seat_sold")["name"] == "signal test_shop.seat_sold, 4 sent in 24 h"
    assert node(picture, "tell_venue")["figures"] == ["inline · 0"]
    row = line(text, "test_shop.seat_sold", "test_shop.reserve_seat")
    assert "GET /shop/" in row
    assert re.search(r"task 4 25 % 1 dead 190 ms test_shop\.seat_reserved \(not seen\) 2026-03-01 12:00:00", row)
    looked_at = text.partition(" to look at")[2].partition("Tab goes from node to node")[0]
    assert receiver["name"] in looked_at
    if not WITHOUT:  # the shipped map without a plugin has unrouted signals of its own
        assert "1 to look at" in text or "2 to look at" in text


def test_unrouted_signals_and_dead_ends_stand_out_in_picture_and_table(shop: Any) -> None:
    text, picture = shown(client_of(superuser=True))
    lost, seen = node(picture, "seat_lost"), node(picture, "seat_seen")
    assert (lost["trouble"], lost["tone"]) == ("unrouted", "bad")
    assert (seen["trouble"], seen["tone"]) == ("dead end", "quiet")
    assert "unrouted" in line(text, "test_shop.seat_lost")
    assert "dead end" in line(text, "test_shop.seat_seen")
    assert "signal test_shop.seat_lost, unrouted, 0 sent in 24 h" in text
    assert "unrouted" in lost["name"]


def test_edges_are_declared_observed_or_both(shop: Any) -> None:
    parent = sold(shop, 1)
    with time_machine.travel(AT, tick=False):
        dispatch(shop.path("seat_lost"), 2, parent=parent, unrouted=True)
    text, picture = shown(client_of(superuser=True))
    states = {
        (each["source"].rpartition(".")[2], each["target"].rpartition(".")[2]): each["state"]
        for each in picture["edges"]
    }
    assert states["seat_sold", "reserve_seat"] == "seen"
    assert states["reserve_seat", "seat_reserved"] == "unseen"
    assert states["reserve_seat", "seat_lost"] == "undeclared"
    assert "test_shop.reserve_seat → test_shop.seat_lost: seen, but neither the map nor code declares it" in text
    assert "undeclared" in line(text, "test_shop.seat_lost", "unrouted")
    assert node(picture, "seat_lost")["figures"] == ["1 sent", "1 unrouted"]


def test_failures_that_are_still_retried_alarm_only_when_they_are_many(shop: Any) -> None:
    for number in range(39):
        sold(shop, number)
    sold(shop, 50, State.PENDING, error_class="Retry")
    client = client_of(superuser=True)
    assert node(shown(client)[1], "reserve_seat")["tone"] == ""
    for number in range(51, 55):
        sold(shop, number, State.PENDING, error_class="Retry")
    assert node(shown(client)[1], "reserve_seat")["tone"] == "bad"


def test_node_leads_to_the_rows_it_tells_of(shop: Any) -> None:
    sold(shop, 1)
    client = client_of(superuser=True)
    receiver = shop.path("reserve_seat")
    assert node(shown(client)[1], "reserve_seat")["href"].endswith(f"delivery/?receiver={receiver}&since=day")
    sold(shop, 2, State.DEAD)
    picture = shown(client)[1]
    assert node(picture, "reserve_seat")["href"].endswith(f"delivery/?receiver={receiver}&state=dead")
    assert node(picture, "seat_sold")["href"].endswith(f"dispatch/?signal={shop.path('seat_sold')}")
    with time_machine.travel(LATER, tick=False):
        for each in picture["nodes"]:
            assert client.get(each["href"]).status_code == 200, each["href"]
        found = client.get(node(picture, "reserve_seat")["href"])
    assert [row.state for row in found.context["cl"].result_list] == [State.DEAD]


def test_one_delivery_is_named_in_the_singular(shop: Any) -> None:
    sold(shop, 1)
    name = node(shown(client_of(superuser=True))[1], "reserve_seat")["name"]
    assert name.startswith("delivery task test_shop.reserve_seat, 1 delivery in 24 h")


def test_part_of_a_day_is_told_as_such(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_stats, "MOST_COUNTED", 2)
    for number in range(3):
        sold(shop, number)
    text, picture = shown(client_of(superuser=True))
    assert "since 12:00:00 UTC: the newest 2 of each, a part of the last 24 h" in text
    assert "2 deliveries since 12:00:00 UTC" in node(picture, "reserve_seat")["name"]


def test_what_is_to_be_looked_at_is_bounded(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "MOST_TOLD", 1)
    sold(shop, 1, State.DEAD)
    assert "more, in the table" in shown(client_of(superuser=True))[0]


@pytest.mark.parametrize("permissions", [(), VIEW_ALL[:1], VIEW_ALL[:3]])
def test_who_may_not_read_the_record_does_not_see_it(permissions: tuple[str, ...]) -> None:
    assert client_of(*permissions).get("/admin/map/").status_code == 403
    assert "/admin/map/" not in client_of("auth.view_group").get("/admin/").content.decode()
    assert Client().get("/admin/map/").status_code == 302


def test_who_may_read_the_record_finds_it_in_the_navigation() -> None:
    with shipped_signals_only():
        text, _ = shown(client_of(*VIEW_ALL))
    assert '<a href="/admin/map/" aria-current="page">Signal map</a>' in text


def test_statements_stay_as_many(shop: Any) -> None:
    client = client_of(superuser=True)

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            shown(client)
        return [each["sql"] for each in captured]

    few = statements()
    for number in range(30):
        sold(shop, number)
    assert len(statements()) == len(few)
    assert len(ours(few)) == 2


@pytest.mark.needs_plugins(
    "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
)
def test_shipped_map_is_shown_whole_and_each_node_is_in_the_table() -> None:
    with shipped_signals_only():
        text, picture = shown(client_of(superuser=True))
    table = html.unescape(re.sub(r"<wbr>", "", text.partition('id="signal-map-table"')[2]))
    assert [each["label"] for each in picture["nodes"] if each["label"] not in table] == []
    assert len(picture["nodes"]) > 70
    assert {each["label"] for each in picture["plugins"]} >= {"stripe", "paypal", "fulfillment", "lms", "notifications"}
    assert picture["plugins"][-1]["label"] == "demo_lms"  # it has to do with no other
    assert {each["state"] for each in picture["edges"]} == {"unseen"}
    assert not re.search(r'\son\w+="', text)


def test_nothing_is_fetched_from_elsewhere() -> None:
    with shipped_signals_only():
        text, _ = shown(client_of(superuser=True))
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert addresses
    assert [each for each in addresses if not each.startswith(("/", "#", "?"))] == []


def test_drawing_library_lies_beside_its_licence_and_names_no_map_that_is_not_there() -> None:
    found = {
        name: finders.find(f"console/vendor/dagre/{name}") for name in ("dagre.min.js", "LICENSE.txt", "ORIGIN.txt")
    }
    assert all(found.values())
    assert "sourceMappingURL" not in Path(str(found["dagre.min.js"])).read_text(encoding="utf-8")


def test_static_files_are_collected_as_production_does(settings: Any, tmp_path: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", "--noinput", verbosity=0)
    manifest = json.loads((tmp_path / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    for name in ("vendor/dagre/dagre.min.js", "signal_map/view.js", "signal_map/style.css"):
        assert (tmp_path / manifest[f"console/{name}"]).is_file()
