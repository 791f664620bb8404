"""Deliveries of one payment, or of one order, that several workers run in the same moment."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, filters_as, run_deliveries, sent
from commerce_coordinator.settings import routes

from ..filters import OrderDetailsRequested
from ..models import Payment, Refund
from ..signals import order_held, order_placed, order_refunded
from ..tasks import place_order, take_back_order
from .purchases import ORDER, REFUND, pay, usd

ASKED = OrderDetailsRequested.filter_type

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.usefixtures("routed"),
]


def at_once(*calls: Callable[[], Any]) -> None:
    """Each in a thread of its own, tried again as its delivery would be; raises what no delivery would survive."""
    start, broken = threading.Barrier(len(calls)), list[BaseException]()

    def run(call: Callable[[], Any]) -> None:
        start.wait(20)
        try:
            for _ in range(20):
                try:
                    return call()
                except GiveUp:
                    return None
                except Retry:
                    continue
        except BaseException as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert broken == []


def test_payment_run_by_many_places_one_order() -> None:
    at_once(*[lambda: place_order(**ORDER)] * 6)
    assert Payment.objects.count() == 1
    assert_sent(order_placed, times=1)


def test_many_payments_of_one_order_place_it_once() -> None:
    def pay(number: int) -> Callable[[], Any]:
        return lambda: place_order(**{**ORDER, "payment_id": f"pay_{number}"})

    at_once(*[pay(number) for number in range(6)])
    assert_sent(order_placed, times=1)
    assert_sent(order_held, times=5)
    assert Payment.objects.filter(placed_order="EDX-1").count() == 1


def test_parts_that_go_back_at_once_are_added_up() -> None:
    place_order(**ORDER)

    def repay(number: int) -> Callable[[], Any]:
        return lambda: take_back_order(**{**REFUND, "refund_id": f"re_{number}", "money": usd(44700 // 6)})

    at_once(*[repay(number) for number in range(6)])
    assert Refund.objects.filter(whole=True).count() == 1
    assert_sent(order_refunded, times=1)


def test_refund_and_capture_of_the_same_moment_end_refunded() -> None:
    calls: Sequence[Callable[[], Any]] = [lambda: place_order(**ORDER), lambda: take_back_order(**REFUND)]
    at_once(*calls, *calls)
    # The refund may have run out of tries before its payment came, or waits until nothing is being given: now it ends.
    run_deliveries()
    take_back_order(**REFUND)
    payment = Payment.objects.get()
    assert (payment.placed_order, payment.refunded_at is not None) == (None, True)
    assert_sent(order_refunded, times=1)
    if payment.placed_at is None:
        assert_not_sent(order_placed)
    assert len(sent(order_placed)) <= 1


def test_placing_an_order_takes_eight_statements() -> None:
    # Read, claim | look, keep | dispatch, deliveries | settle, attempt; the transactions' own lines are not counted.
    delivery = pay()
    # As shipped: the demo's storefront would be asked, too.
    with (
        filters_as({ASKED: routes.OPEN_EDX_FILTERS_CONFIG[ASKED]["pipeline"]}),
        CaptureQueriesContext(connection) as captured,
    ):
        assert deliver(delivery.pk.hex) == "succeeded"
    told = [query["sql"] for query in captured.captured_queries]
    statements = [sql for sql in told if sql.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}]
    assert len(statements) == 8, statements
