"""A payment's id leads to its order, also when the story of its capture was removed."""

import pytest
from django.db import connection

from commerce_coordinator.core import trace
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch

from ..models import Payment
from .purchases import pay

pytestmark = [pytest.mark.django_db]


def test_a_payment_is_found_by_its_id(routed: None) -> None:
    pay(payment_id="pay_1", order_number="EDX-1")
    pay(payment_id="pay_2", order_number="EDX-2")
    Payment.objects.create(provider="shop", payment_id="pay_1", order_number="EDX-1")
    [story] = trace.find("pay_1")
    assert story.dispatches[0].dispatch.subject == "EDX-1"


def test_what_came_later_is_found_when_the_capture_is_gone(routed: None) -> None:
    pay(payment_id="pay_1", order_number="EDX-1")
    for model in (Attempt, Delivery, Dispatch):
        model._default_manager.all().delete()
    Payment.objects.create(provider="shop", payment_id="pay_1", order_number="EDX-1")
    assert trace.find("pay_1") == []
    later = Dispatch.objects.create(signal="s", dedupe_key="k", subject="EDX-1", origin="web")
    assert [each.key for each in trace.find("pay_1")] == [later.pk]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plans of SQLite")
def test_the_look_up_goes_along_an_index() -> None:
    plan = Payment.objects.filter(payment_id="pay_1").values_list("order_number")[:100].explain()
    assert "payment_by_payment_id" in plan


def test_a_payment_without_an_order_names_nothing() -> None:
    Payment.objects.create(provider="shop", payment_id="pay_1", order_number="")
    Dispatch.objects.create(signal="s", dedupe_key="k", subject="", origin="web")
    assert trace.find("pay_1") == []
