"""What plugin authors test with: other routes for a while, what was sent, deliveries run here."""

import datetime

import pytest

from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.exceptions import GiveUp, WrongMap
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, routes_as, run_deliveries, sent
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.payloads.money import Money

pytestmark = pytest.mark.django_db

HOUR = datetime.timedelta(hours=1)


class SeatSold(Payload):
    order: str
    name: PrivateText = ""
    money: Money | None = None


@pytest.fixture
def shop():
    with plugin_of_a_test() as shop:
        yield shop


@pytest.fixture
def seat_sold(shop):
    return shop.signal("seat_sold", SeatSold)


@pytest.fixture
def ran(shop):
    """Receivers of one name each, which note that they ran."""
    ran = []

    @shop.receiver
    def take_note(order):
        ran.append(f"note {order}")

    @shop.task
    def print_ticket(order):
        ran.append(f"ticket {order}")

    return ran


# --- routes_as ---


def test_routes_as_changes_the_map_for_a_while(shop, seat_sold, ran):
    before = seat_sold.routes, seat_sold.map_hash
    with routes_as({"test_shop.seat_sold": ["test_shop.take_note"]}):
        seat_sold.send_robust(sender="test", order="EDX-1")
        with routes_as({"test_shop.seat_sold": []}):
            seat_sold.send_robust(sender="test", order="EDX-2")
        seat_sold.send_robust(sender="test", order="EDX-3")
    seat_sold.send_robust(sender="test", order="EDX-4")
    assert ran == ["note EDX-1", "note EDX-3"]
    assert (seat_sold.routes, seat_sold.map_hash) == before


def test_routes_as_leaves_other_signals_alone(shop, seat_sold, ran):
    seat_given = shop.signal("seat_given", SeatSold)
    with shop.routed(seat_given=["take_note"]), routes_as({"test_shop.seat_sold": []}):
        seat_given.send_robust(sender="test", order="EDX-1")
    assert ran == ["note EDX-1"]


def test_routes_as_steps_back_when_the_test_fails(shop, seat_sold, ran):
    with pytest.raises(ZeroDivisionError), routes_as({"test_shop.seat_sold": ["test_shop.take_note"]}):
        raise ZeroDivisionError
    assert seat_sold.routes == ()


def test_routes_as_refuses_a_wrong_map_and_changes_nothing(shop, seat_sold, ran):
    wrong = {"test_shop.seat_sold": ["test_shop.take_note", "test_shop.gone"], "test_shop.seat_given": []}
    with pytest.raises(WrongMap) as refused, routes_as(wrong):
        raise AssertionError("The map is wrong.")
    assert "test_shop.gone" in str(refused.value) and "test_shop.seat_given" in str(refused.value)
    assert seat_sold.routes == ()


# --- What was sent ---


def test_sent_tells_the_payloads_as_receivers_get_them_oldest_first(shop, seat_sold):
    money = Money(amount=14900, currency="EUR")
    with shop.routed():
        seat_sold.send_robust(sender="test", order="EDX-1", money=money)
        seat_sold.send_robust(sender="test", order="EDX-2")
    assert sent(seat_sold) == [
        {"order": "EDX-1", "name": "", "money": money},
        {"order": "EDX-2", "name": "", "money": None},
    ]


def test_assert_sent_finds_a_sending_that_carried_the_values(shop, seat_sold):
    with shop.routed():
        seat_sold.send_robust(sender="test", order="EDX-1", name="Ada")
        seat_sold.send_robust(sender="test", order="EDX-2", name="Ada")
    assert_sent(seat_sold)
    assert_sent(seat_sold, times=2)
    assert_sent(seat_sold, times=2, name="Ada")
    assert_sent(seat_sold, order="EDX-1", name="Ada")
    assert_sent(seat_sold, times=0, order="EDX-3")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"order": "EDX-2"}, "sent at least once with the given order; 0 of its 1 sendings match"),
        ({"order": "EDX-1", "name": "Bob"}, "sent at least once with the given name, order; 0 of its 1 sendings match"),
        ({"price": None}, "sent at least once with the given price; 0 of its 1 sendings match"),
        ({"times": 2}, "sent 2 times with the given anything; 1 of its 1 sendings match"),
        ({"times": 0}, "sent 0 times with the given anything; 1 of its 1 sendings match"),
    ],
)
def test_assert_sent_says_what_was_missing_without_values(shop, seat_sold, values, message):
    with shop.routed():
        seat_sold.send_robust(sender="test", order="EDX-1", name="Ada")
    with pytest.raises(AssertionError) as missing:
        assert_sent(seat_sold, **values)
    assert f"test_shop.seat_sold was to be {message}." in str(missing.value)
    assert "Ada" not in str(missing.value) and "Bob" not in str(missing.value)


def test_assert_not_sent(shop, seat_sold):
    assert_not_sent(seat_sold)
    with shop.routed():
        seat_sold.send_robust(sender="test", order="EDX-1")
    with pytest.raises(AssertionError, match="was not to be sent, but was, 1 times"):
        assert_not_sent(seat_sold)


# --- run_deliveries ---


def test_run_deliveries_runs_what_is_due_and_what_that_sends_on(shop, seat_sold, ran):
    seat_given = shop.signal("seat_given", SeatSold)

    @shop.task(sends=["test_shop.seat_given"])
    def give_seat(order):
        seat_given.send_robust(sender="test", order=order)

    with shop.routed(seat_sold=["give_seat"], seat_given=["print_ticket"]):
        seat_sold.send_robust(sender="test", order="EDX-1")
        assert ran == []
        deliveries = run_deliveries()
    assert [each.receiver for each in deliveries] == ["test_shop.give_seat", "test_shop.print_ticket"]
    assert {each.state for each in deliveries} == {Delivery.State.SUCCEEDED}
    assert ran == ["ticket EDX-1"]
    assert run_deliveries() == []


def test_run_deliveries_leaves_retries_for_later(shop, seat_sold, time_machine):
    time_machine.move_to("2026-05-04T03:02:01Z", tick=False)
    tries = []

    @shop.task
    def fail_once(order):
        tries.append(order)
        if len(tries) == 1:
            raise RuntimeError("Not yet.")

    with shop.routed(seat_sold=["fail_once"]):
        seat_sold.send_robust(sender="test", order="EDX-1")
        (delivery,) = run_deliveries()
        assert (delivery.state, delivery.attempts) == (Delivery.State.PENDING, 1)
        assert run_deliveries() == []
        time_machine.shift(HOUR)
        (delivery,) = run_deliveries()
    assert (delivery.state, len(tries)) == (Delivery.State.SUCCEEDED, 2)
    assert [each.outcome for each in Attempt.objects.order_by("number")] == ["retry", "succeeded"]


def test_run_deliveries_returns_the_dead_too(shop, seat_sold):
    @shop.task
    def give_up(order):
        raise GiveUp("There is no such seat.")

    with shop.routed(seat_sold=["give_up"]):
        seat_sold.send_robust(sender="test", order="EDX-1")
        (delivery,) = run_deliveries()
    assert (delivery.state, delivery.error_text) == (Delivery.State.DEAD, "There is no such seat.")


def test_run_deliveries_tells_of_signals_that_go_round_in_a_circle(shop, seat_sold):
    @shop.task(sends=["test_shop.seat_sold"])
    def sell_again(order):
        seat_sold.send_robust(sender="test", order=order)

    with shop.routed(seat_sold=["sell_again"]):
        seat_sold.send_robust(sender="test", order="EDX-1")
        with pytest.raises(AssertionError, match=r"More than 5 deliveries .* circle"):
            run_deliveries(most=5)
