"""The demo's order history: what was placed, of whom, out of our own rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.module_loading import import_string

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.payloads.history import HistoryLine, HistoryOrder
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine, OrderPlaced

from ..history_steps import ORDER_PLACED, OrdersFromOwnDispatches

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UUID = "7ba2ecd8-3b75-4a4c-ae76-5a4b0f3a2a7e"


def placed(number: str, *, person: str = "7", signal: str = ORDER_PLACED, at: datetime = NOON, **payload: Any) -> None:
    order = OrderPlaced(
        order_number=number,
        provider="test",
        account="",
        payment_id=number,
        money=Money(amount=14900, currency="EUR"),
        lms_user_id=7,
        username="amina",
        email="amina@example.com",
        lines=(
            OrderLine(line_number=1, course_key="course-v1:a+b+c", mode="verified", title="Baking"),
            OrderLine(line_number=2, course_uuid=UUID, mode="audit"),
        ),
    )
    values = {**order.model_dump(mode="json"), **payload}
    key = uuid7().hex
    Dispatch.objects.create(signal=signal, dedupe_key=key, person=person, payload=values, origin="web", created_at=at)


def history(lms_user_id: int | None = 7, **values: Any) -> dict[str, Any]:
    step = OrdersFromOwnDispatches(filter_type="test", running_pipeline=[])
    found: dict[str, Any] = step.run_filter(
        **{"username": "amina", "lms_user_id": lms_user_id, "orders": [], "gaps": ["x"], **values}
    )
    return found


def numbers(answer: dict[str, Any]) -> list[str]:
    return [each.number for each in answer["orders"]]


def test_order_that_was_placed_is_an_order() -> None:
    placed("EDX-1")
    assert history() == {
        "orders": [
            HistoryOrder(
                number="EDX-1",
                placed_at=NOON,
                total=Money(amount=14900, currency="EUR"),
                lines=(
                    HistoryLine(title="Baking", description="verified"),
                    HistoryLine(title=UUID, description="audit"),
                ),
                source="demo_lms",
            )
        ],
        "gaps": ["x"],
    }


def test_orders_of_others_and_other_signals_are_none_of_his() -> None:
    placed("EDX-1", person="8")
    placed("EDX-2", person="")
    placed("EDX-3", person="None")
    placed("EDX-4", signal="some.other.signal")
    assert numbers(history()) == []


def test_nobody_in_particular_has_no_orders() -> None:
    placed("EDX-1", person="None")
    placed("EDX-2", person="")
    assert history(None) == {}


@pytest.mark.parametrize("payload", [{"money": None}, {"lines": []}, {"order_number": ""}])
def test_row_that_is_not_understood_is_left_out_and_a_gap(payload: dict[str, Any]) -> None:
    placed("EDX-1")
    placed("EDX-2", **payload)
    answer = history()
    assert (numbers(answer), answer["gaps"]) == (["EDX-1"], ["x", "demo_lms"])


def test_field_of_a_later_version_does_no_harm() -> None:
    placed("EDX-1", of_a_later_version=True)
    assert numbers(history()) == ["EDX-1"]


def test_many_orders_are_read_by_one_statement_and_not_all(django_assert_num_queries: Any) -> None:
    for number in range(501):
        placed(f"EDX-{number}", at=NOON + timedelta(minutes=number))
    with django_assert_num_queries(1):
        answer = history()
    assert numbers(answer) == [f"EDX-{number}" for number in range(500, 0, -1)]
    assert answer["gaps"] == ["x", "demo_lms"]


def test_order_that_a_step_before_told_of_is_told_once() -> None:
    placed("EDX-1")
    placed("EDX-2")
    before = [order.model_copy(update={"source": "shop"}) for order in history()["orders"] if order.number == "EDX-1"]
    answer = history(orders=before)
    assert [(order.number, order.source) for order in answer["orders"]] == [("EDX-1", "shop"), ("EDX-2", "demo_lms")]


@pytest.mark.needs_plugins("fulfillment")
def test_signal_is_there_under_this_name() -> None:
    assert import_string(ORDER_PLACED).name == ORDER_PLACED
