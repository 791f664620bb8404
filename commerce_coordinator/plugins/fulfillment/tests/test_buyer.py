"""A payment that names no buyer, as a provider's may: the system of record tells whose it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core.testing import assert_not_sent, assert_sent, run_deliveries
from commerce_coordinator.payloads.orders import OrderDetails

from ..checking import NO_BUYER
from ..models import Payment
from ..signals import enrollment_requested, order_held, order_placed
from .purchases import LINES, PRICE, pay, routed
from .sources import Shop, ask_shop_too

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOBODY: dict[str, Any] = {"lms_user_id": None, "username": "", "email": "", "lines": ()}


@pytest.fixture
def shop(settings: Any) -> Iterator[Shop]:
    with routed():
        yield ask_shop_too(settings)


def knows(shop: Shop, **buyer: Any) -> None:
    shop.orders["EDX-1"] = OrderDetails(order_number="EDX-1", owed=PRICE, lines=LINES, source="shop", **buyer)


def test_buyer_is_whom_the_system_of_record_names(shop: Shop) -> None:
    knows(shop, lms_user_id=7, username="bo", email="bo@example.com")
    pay(**NOBODY)
    run_deliveries()
    assert_sent(order_placed, times=1, lms_user_id=7, username="bo", email="bo@example.com", lines=LINES)
    assert_sent(enrollment_requested, lms_user_id=7, username="bo")
    payment = Payment.objects.get()
    assert (payment.lms_user_id, payment.username, payment.email) == (7, "bo", "bo@example.com")


def test_buyer_whom_the_payment_names_stands_above(shop: Shop) -> None:
    knows(shop, lms_user_id=7, username="bo", email="bo@example.com")
    pay()
    run_deliveries()
    assert_sent(order_placed, times=1, lms_user_id=1313, username="ann", email="ann@example.com")


@pytest.mark.parametrize("buyer", [{}, {"lms_user_id": 7}, {"username": "bo", "email": "bo@example.com"}])
def test_order_of_nobody_is_held(shop: Shop, buyer: dict[str, Any]) -> None:
    knows(shop, **buyer)
    delivery = pay(**NOBODY)
    run_deliveries()
    delivery.refresh_from_db()
    assert delivery.state == "dead"
    assert_sent(order_held, times=1, reason=NO_BUYER, lms_user_id=None)
    assert_not_sent(order_placed)


def test_try_that_died_after_writing_finds_the_buyer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    knows(shop, lms_user_id=7, username="bo", email="bo@example.com")
    pay(**NOBODY)
    with monkeypatch.context() as dying:
        dying.setattr(type(order_placed), "send_robust", _dies)
        run_deliveries()
    assert Payment.objects.get().placed_at is not None
    again = pay(**NOBODY)
    again.refresh_from_db()
    type(again).objects.filter(pk=again.pk).update(next_attempt_at=again.created_at)
    run_deliveries()
    assert_sent(order_placed, times=1, lms_user_id=7, username="bo", email="bo@example.com")


def _dies(*_: Any, **__: Any) -> None:
    raise RuntimeError
