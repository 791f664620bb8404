"""Payments and refunds on screen: to read, in a fixed number of statements, and without anybody's name."""

from typing import Any

import pytest
from django.urls import reverse

from commerce_coordinator.core.testing import run_deliveries

from ..models import Payment, Refund
from .purchases import pay, repay, usd

pytestmark = [pytest.mark.django_db]

LEARNER = "wilhelmina-q"

LISTS = ["payment", "refund"]


@pytest.fixture(autouse=True)
def _bought(routed: None) -> None:
    for number in range(5):
        pay(payment_id=f"pay_{number}", order_number=f"EDX-{number}", username=LEARNER, email=f"{LEARNER}@example.com")
        repay(payment_id=f"pay_{number}", refund_id=f"re_{number}", money=usd(100))
    run_deliveries()


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:fulfillment_{name}", args=args)


@pytest.mark.parametrize("model", LISTS)
def test_list_takes_a_fixed_number_of_statements(admin_client, model: str, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(6):
        shown = admin_client.get(page(f"{model}_changelist")).content.decode()
    assert "pay_4" in shown


@pytest.mark.parametrize("row", [Payment, Refund])
def test_no_page_shows_who_it_was(admin_client, row: Any) -> None:
    name = row._meta.model_name
    pages = [page(f"{name}_changelist"), page(f"{name}_change", row.objects.first().pk)]
    for each in pages:
        answer = admin_client.get(each)
        assert answer.status_code == 200
        assert LEARNER not in answer.content.decode()


def test_rows_are_found_by_order_number(admin_client) -> None:
    for model in LISTS:
        shown = admin_client.get(page(f"{model}_changelist"), {"q": "EDX-3"}).content.decode()
        assert ("pay_3" in shown, "pay_4" in shown) == (True, False)


def test_names_cannot_be_guessed_by_filters(admin_client) -> None:
    for query in ({"email__startswith": "w"}, {"username": LEARNER}, {"payment__email__startswith": "a"}):
        for model in LISTS:
            answer = admin_client.get(page(f"{model}_changelist"), query)
            assert answer.status_code in (302, 400)


def test_nobody_edits(admin_client) -> None:
    for row in (Payment, Refund):
        name, pk = row._meta.model_name, row.objects.first().pk
        answers = [
            admin_client.post(page(f"{name}_{act}", *args), {}).status_code
            for act, args in (("add", ()), ("change", (pk,)), ("delete", (pk,)))
        ]
        assert answers == [403, 403, 403]
