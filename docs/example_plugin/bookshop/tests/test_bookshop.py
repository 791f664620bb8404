"""From the shop's webhook to the parcel."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone
from openedx_filters import PipelineStep

from bookshop import tasks
from bookshop.filters import ShippingPriceRequested
from bookshop.signals import book_ordered, book_shipped
from commerce_coordinator.core.exceptions import InvalidPayload, Retry
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, filters_as, run_deliveries
from commerce_coordinator.payloads.money import Money

pytestmark = pytest.mark.django_db

ORDER = {"number": "B-1", "isbn": "978-0-00-000000-2", "address": "1 High Street"}


class FakeWarehouse:
    """Packs in memory. `failures`: so many calls of `pack` get lost after they took effect."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.parcels: dict[str, str] = {}
        self.packed = 0

    def parcel_of(self, order_number: str) -> str | None:
        return self.parcels.get(order_number)

    def pack(self, *, order_number: str, isbn: str, address: str) -> str:
        self.packed += 1
        self.parcels[order_number] = f"P-{self.packed}"
        if self.failures:
            self.failures -= 1
            raise Retry("The answer got lost.")
        return self.parcels[order_number]


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> FakeWarehouse:
    fake = FakeWarehouse()
    monkeypatch.setattr(tasks, "WarehouseClient", lambda: fake)
    return fake


def post(event: dict[str, Any], *, secret: str | None = None) -> Any:
    body = json.dumps(event).encode()
    signature = hmac.new((secret or settings.BOOKSHOP_SECRET).encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Bookshop-Signature": signature}
    return Client().post("/bookshop/webhook/", body, content_type="application/json", headers=headers)


def test_paid_order_is_shipped(warehouse: FakeWarehouse) -> None:
    assert post({"id": "1", "type": "order.paid", "order": ORDER}).json()["status"] == "sent"
    (delivery,) = run_deliveries()
    assert delivery.state == "succeeded"
    assert_sent(book_shipped, order_number="B-1", parcel="P-1", times=1)


def test_order_told_twice_is_shipped_once(warehouse: FakeWarehouse) -> None:
    post({"id": "1", "type": "order.paid", "order": ORDER})
    post({"id": "2", "type": "order.paid", "order": ORDER})
    run_deliveries()
    assert warehouse.packed == 1


def test_lost_answer_is_looked_up_at_the_next_attempt(warehouse: FakeWarehouse) -> None:
    warehouse.failures = 1
    book_ordered.send_robust(sender="test", order_number="B-1", isbn="978-0-00-000000-2", address="1 High Street")
    (delivery,) = run_deliveries()
    assert (delivery.state, delivery.error_class) == ("pending", "Retry")
    assert_not_sent(book_shipped)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        run_deliveries()
    assert warehouse.packed == 1
    assert_sent(book_shipped, parcel="P-1", times=1)


def test_order_without_an_address_is_kept_as_failed() -> None:
    answer = post({"id": "1", "type": "order.paid", "order": {"number": "B-1", "isbn": "978-0-00-000000-2"}})
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    assert_not_sent(book_ordered)


def test_stranger_is_refused() -> None:
    assert post({"id": "1", "type": "order.paid", "order": ORDER}, secret="another").status_code == 400


def test_value_that_the_contract_lacks_is_refused() -> None:
    with pytest.raises(InvalidPayload):
        book_ordered.send_robust(sender="test", order_number="B-1", isbn="978", address="here", colour="red")


class WorldwideRate(PipelineStep):
    """A step of another package: it answers where nobody did."""

    def run_filter(self, **answers: Any) -> dict[str, Any]:
        return {} if "price" in answers else {"price": Money(amount=1990, currency="EUR")}


def test_price_of_a_parcel_is_the_lists() -> None:
    assert Client().get("/bookshop/shipping/DE/").json() == {"amount": 290, "currency": "EUR"}
    assert Client().get("/bookshop/shipping/NZ/").status_code == 404


def test_another_step_may_know_more_countries() -> None:
    with filters_as({ShippingPriceRequested.filter_type: ["bookshop.steps.PriceList", WorldwideRate]}):
        prices = [Client().get(f"/bookshop/shipping/{country}/").json()["amount"] for country in ("DE", "NZ")]
    assert prices == [290, 1990]
