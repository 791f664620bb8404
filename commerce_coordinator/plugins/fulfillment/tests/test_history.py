"""What a buyer sees of his payments: placed orders, what went back, and by which payment a receipt is found."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.payloads.history import HistoryLine, HistoryOrder

from ..history import PaymentOfOrder, PlacedOrders
from ..models import Payment
from .purchases import LINES, NOON, PRICE, REFERENCE, pay, repay, routed, usd

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _routed() -> Iterator[None]:
    with routed():
        yield


def history(lms_user_id: int | None = 1313, **values: Any) -> dict[str, Any]:
    step = PlacedOrders(filter_type="test", running_pipeline=[])
    found: dict[str, Any] = step.run_filter(
        **{"username": "ann", "lms_user_id": lms_user_id, "orders": [], "gaps": ["x"], **values}
    )
    return found


def numbers(answer: dict[str, Any]) -> list[str]:
    return [each.number for each in answer["orders"]]


def payment_of(**asked: Any) -> dict[str, Any]:
    step = PaymentOfOrder(filter_type="test", running_pipeline=[])
    found: dict[str, Any] = step.run_filter(**{"order_number": "EDX-1", "username": "", "lms_user_id": None, **asked})
    return found


def test_order_that_was_placed_is_an_order() -> None:
    with time_machine.travel(NOON, tick=False):
        pay(lines=LINES[:2])
        run_deliveries()
    order = HistoryOrder(
        number="EDX-1",
        placed_at=NOON,
        total=PRICE,
        lines=(
            HistoryLine(title=LINES[0].course_key, description="verified"),
            HistoryLine(title=LINES[1].course_key, description="audit"),
        ),
        source="fulfillment",
    )
    assert history() == {"orders": [order], "gaps": ["x"]}


def test_line_whose_money_went_back_says_so() -> None:
    pay(lines=LINES[:2])
    run_deliveries()
    repay(money=usd(100), refund_request_id="EDX-1:2")
    run_deliveries()
    [order] = history()["orders"]
    assert [line.description for line in order.lines] == ["verified", "audit, refunded"]


def test_orders_of_others_and_held_ones_are_none_of_his() -> None:
    pay(lms_user_id=8)
    pay(order_number="EDX-2", payment_id="pay_2", lines=())
    run_deliveries()
    assert numbers(history()) == []


def test_nobody_in_particular_has_no_orders() -> None:
    pay()
    run_deliveries()
    assert history(None) == {}


def test_order_that_another_source_told_of_is_told_once() -> None:
    pay()
    run_deliveries()
    [order] = history()["orders"]
    told = order.model_copy(update={"source": "shop"})
    assert history(orders=[told])["orders"] == [told]


def test_many_orders_are_read_by_one_statement_and_not_all(django_assert_num_queries: Any) -> None:
    Payment.objects.bulk_create(
        Payment(
            **{**REFERENCE, "payment_id": f"pay_{number}"},
            order_number=f"EDX-{number}",
            amount=100,
            currency="USD",
            lms_user_id=1313,
            placed_at=NOON + timedelta(minutes=number),
        )
        for number in range(501)
    )
    with django_assert_num_queries(1):
        answer = history()
    assert numbers(answer) == [f"EDX-{number}" for number in range(500, 0, -1)]
    assert answer["gaps"] == ["x", "fulfillment"]


def test_receipt_is_of_the_payment_that_stands_for_the_order() -> None:
    pay()
    run_deliveries()
    repay()
    run_deliveries()
    assert payment_of() == {"payment": REFERENCE}
    pay(payment_id="pay_2")
    run_deliveries()
    assert payment_of() == {"payment": {**REFERENCE, "payment_id": "pay_2"}}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"username": "ann", "lms_user_id": 1313}, True),
        ({"username": "ann", "lms_user_id": 8}, False),
        ({"username": "bo"}, False),
        ({"order_number": "EDX-2"}, False),
    ],
)
def test_receipt_is_the_buyers(asked: dict[str, Any], found: bool) -> None:
    pay()
    run_deliveries()
    assert bool(payment_of(**asked)) is found
