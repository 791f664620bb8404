"""By HTTP, with the routes and filters as they are shipped for the demo: an order that was placed is in the history."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine
from commerce_coordinator.plugins.fulfillment.signals import order_placed
from commerce_coordinator.plugins.fulfillment.tasks import place_order

pytestmark = [pytest.mark.django_db, pytest.mark.needs_plugins("order_history")]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def numbers(client: Client, username: str, lms_user_id: int, query: str = "") -> Any:
    headers = as_user(username, lms_user_id=lms_user_id)
    response = client.get(f"/orders/order_history/{query}", headers=headers)
    body = response.json()
    return [each["number"] for each in body["results"]] if response.status_code == 200 else response.status_code


def place(number: str, username: str, lms_user_id: int) -> None:
    with routes_as({order_placed.name: []}):
        place_order(
            order_number=number,
            provider="test",
            account="",
            payment_id=number,
            money=Money(amount=14900, currency="EUR"),
            lms_user_id=lms_user_id,
            username=username,
            email=f"{username}@example.com",
            lines=(OrderLine(line_number=1, course_key="course-v1:DemoX+Baking+2026", mode="verified"),),
        )


def test_order_shows_to_its_buyer_as_soon_as_it_is_placed_and_to_nobody_else(client: Client) -> None:
    assert numbers(client, "amina", 7) == []
    place("EDX-1", "amina", 7)
    assert numbers(client, "amina", 7) == ["EDX-1"]
    assert numbers(client, "bo", 8) == []
    assert numbers(client, "bo", 8, "?username=amina") == 403
    assert numbers(client, "bo", 8, "?lms_user_id=7") == []
    place("EDX-2", "bo", 8)
    place("EDX-3", "amina", 7)
    assert numbers(client, "amina", 7) == ["EDX-3", "EDX-1"]
    assert numbers(client, "bo", 8) == ["EDX-2"]


def test_without_a_provider_that_answers_there_is_no_receipt(client: Client) -> None:
    place("EDX-1", "amina", 7)
    answers = {
        number: client.get(f"/orders/order_receipt/?order_number={number}", headers=as_user("amina", lms_user_id=7))
        for number in ("EDX-1", "EDX-2")
    }
    assert {each.status_code for each in answers.values()} == {404}
