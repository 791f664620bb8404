"""A dispatch that nobody received is routed by the map of today, once, with all its deliveries or with none."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection

from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.signals import rerouting
from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.core.testing.database_faults import inserts_fail
from commerce_coordinator.payloads.base import Payload, PrivateText

from .plugin_of_a_test import TestPlugin, plugin_of_a_test

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OPERATOR = By(who="night-shift", why="The route was forgotten.", origin="command")


class SeatSold(Payload):
    order_number: str
    username: PrivateText


@pytest.fixture
def shop() -> Iterator[TestPlugin]:
    with plugin_of_a_test() as plugin:
        plugin.signal("seat_sold", SeatSold, subject="order_number", unique_by=["order_number"])
        plugin.signal("news", needs_receiver=False)
        plugin.printed = []

        @plugin.task
        def print_ticket(order_number: str) -> None:
            plugin.printed.append(order_number)

        @plugin.receiver
        def take_note(order_number: str, sender: Any) -> None:
            plugin.printed.append(f"note of {order_number}")

        @plugin.task
        def greet(username: str) -> None:
            plugin.printed.append(username)

        yield plugin


@pytest.fixture
def unrouted(shop: TestPlugin) -> Dispatch:
    with shop.routed():
        shop.module.seat_sold.send_robust(sender="test", order_number="EDX-1", username="ann")
    dispatch = Dispatch.objects.get()
    assert dispatch.unrouted
    return dispatch


def test_it_gets_the_receivers_of_today_and_they_run(shop: TestPlugin, unrouted: Dispatch) -> None:
    with shop.routed(seat_sold=["print_ticket", "take_note"]):
        made = rerouting.route_again(unrouted, by=OPERATOR)
        assert [each.state for each in made] == ["pending", "pending"]
        assert {each.state for each in run_deliveries()} == {"succeeded"}
        assert unrouted.map_hash == shop.module.seat_sold.map_hash
    assert sorted(shop.printed) == ["EDX-1", "note of EDX-1"]
    assert not Dispatch.objects.get().unrouted
    act = OperatorAct.objects.get()
    assert (act.kind, act.dispatch, act.who, act.why) == (
        "replayed",
        unrouted,
        "night-shift",
        "The route was forgotten.",
    )


def test_it_is_routed_once_however_often_it_is_asked_for(shop: TestPlugin, unrouted: Dispatch) -> None:
    stale = Dispatch.objects.get()
    with shop.routed(seat_sold=["print_ticket"]):
        rerouting.route_again(unrouted)
        with pytest.raises(NotReplayable, match="is not unrouted"):
            rerouting.route_again(unrouted)
        with pytest.raises(NotReplayable, match="changed by another just now"):
            rerouting.route_again(stale)
        with pytest.raises(NotReplayable, match="changed by another just now"):
            rerouting.set_aside(stale)
    assert Delivery.objects.count() == 1
    assert OperatorAct.objects.count() == 1


def test_a_failure_on_the_way_leaves_it_unrouted_and_unmarked(
    shop: TestPlugin, unrouted: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(rerouting, "write_down", away)
    with shop.routed(seat_sold=["print_ticket"]), pytest.raises(DatabaseError):
        rerouting.route_again(unrouted)
    assert Dispatch.objects.get().unrouted
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_run_again(shop: TestPlugin, unrouted: Dispatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")  # the error and its number are MySQL's
    deadlocks = [OperationalError(1213, "Deadlock found")] * 2
    with shop.routed(seat_sold=["print_ticket"]), inserts_fail(OperatorAct, *deadlocks):
        rerouting.route_again(unrouted)
    assert (Delivery.objects.count(), OperatorAct.objects.count()) == (1, 1)
    Dispatch.objects.update(unrouted=True)
    with inserts_fail(OperatorAct, *deadlocks):
        assert not rerouting.set_aside(Dispatch.objects.get()).unrouted


def test_without_a_route_it_says_what_to_do(shop: TestPlugin, unrouted: Dispatch) -> None:
    with shop.routed(), pytest.raises(NotReplayable, match=r"still routes test_shop.seat_sold to nobody. Add a route"):
        rerouting.route_again(unrouted)
    assert Dispatch.objects.get().unrouted


def test_a_signal_that_no_plugin_defines_cannot_be_routed(unrouted: Dispatch) -> None:
    unrouted.signal = "gone.signals.sold"
    with pytest.raises(NotReplayable, match=r"No installed plugin defines the signal gone.signals.sold"):
        rerouting.route_again(unrouted)


def test_without_its_payload_it_cannot_be_routed(shop: TestPlugin, unrouted: Dispatch) -> None:
    unrouted.payload = None
    with shop.routed(seat_sold=["print_ticket"]), pytest.raises(NotReplayable, match="has no payload"):
        rerouting.route_again(unrouted)


def test_nobody_is_greeted_as_a_retired_learner(shop: TestPlugin, unrouted: Dispatch) -> None:
    unrouted.payload = {"order_number": "EDX-1", "username": "(retired learner)"}
    with shop.routed(seat_sold=["greet"]), pytest.raises(NotReplayable, match="he has retired"):
        rerouting.route_again(unrouted)
    with shop.routed(seat_sold=["print_ticket"]):
        rerouting.route_again(unrouted)
    assert Delivery.objects.count() == 1


def test_what_is_set_aside_waits_for_nobody_and_that_is_kept(shop: TestPlugin, unrouted: Dispatch) -> None:
    assert not rerouting.set_aside(unrouted, by=OPERATOR).unrouted
    assert OperatorAct.objects.get().kind == "set aside"
    with pytest.raises(NotReplayable, match="is not unrouted"):
        rerouting.set_aside(unrouted)


def test_news_that_nobody_need_hear_waits_for_nobody(shop: TestPlugin) -> None:
    with shop.routed():
        shop.module.news.send_robust(sender="test")
    with pytest.raises(NotReplayable):
        rerouting.set_aside(Dispatch.objects.get())
