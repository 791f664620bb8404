"""Answers of this plugin's steps, as their filters get them."""

from typing import Any

import pytest

from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from .. import steps
from ..filters import OrderDetailsRequested
from ..models import Payment
from .purchases import LINES, REFERENCE, pay, repay, usd
from .sources import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("routed")]

ELIGIBILITY = "org.edx.coordinator.lms.refund_eligibility.requested.v1"
PRICED = tuple(line.model_copy(update={"price": usd(100 * line.line_number)}) for line in LINES)


def details(**asked: Any) -> Any:
    return OrderDetailsRequested.ask(order_number="EDX-1", **REFERENCE, **asked).get("details")


COURSE = "a0000000-0000-4000-8000-00000000000c"
UUID = "a0000000-0000-4000-8000-000000000001"


def eligible(line_number: int | None = None, **asked: Any) -> dict[str, Any]:
    step = steps.RefundEligibility(filter_type=ELIGIBILITY, running_pipeline=[])
    values = {"order_number": "EDX-1", "username": "ann", "lms_user_id": 1313, **asked}
    return step.run_filter(line_number=line_number, **values)


def buy(**changes: Any) -> None:
    pay(**changes)
    run_deliveries()


def give_back(**changes: Any) -> None:
    repay(**changes)
    run_deliveries()


# --- Order details ---


def test_lines_of_the_payment_are_the_details_without_a_price() -> None:
    found = OrderDetails(order_number="EDX-1", owed=None, lines=LINES, source="payment metadata")
    assert details(lines=LINES) == found


def test_payment_without_lines_tells_nothing() -> None:
    assert details(lines=()) is None


def test_payment_does_not_replace_what_another_source_knows() -> None:
    known = OrderDetails(order_number="EDX-1", lines=LINES[:1], source="shop")
    assert details(lines=LINES, details=known) == known


def test_later_source_may_know_better(shop: Shop) -> None:
    shop.knows(owed=usd(5), lines=LINES[:1])
    assert details(lines=LINES).source == "shop"


# --- Refund eligibility ---


def test_placed_order_may_go_back_as_a_whole() -> None:
    buy()
    assert eligible() == {
        "eligible": True,
        "already_refunded": False,
        "reason": "",
        "money": None,
        "payment": REFERENCE,
        "line_number": None,
        "lms_user_id": 1313,
    }


def test_order_that_we_know_nothing_of_is_left_to_others() -> None:
    buy()
    assert eligible(order_number="EDX-2") == {}


@pytest.mark.parametrize("asked", [{"lms_user_id": 7}, {"lms_user_id": None, "username": "bo"}])
def test_another_learners_order_may_not(asked: dict[str, Any]) -> None:
    buy()
    answer = eligible(**asked)
    assert (answer["eligible"], answer["reason"]) == (False, steps.ANOTHER_LEARNER)


@pytest.mark.parametrize(
    "asked", [{"lms_user_id": None}, {"username": "renamed"}, {"lms_user_id": None, "username": ""}]
)
def test_learner_is_known_by_his_id_or_else_by_his_name(asked: dict[str, Any]) -> None:
    buy()
    assert eligible(**asked)["eligible"] is True


@pytest.mark.parametrize("line_number", [None, 1])
def test_refunded_order_was_refunded_already(line_number: int | None) -> None:
    buy()
    give_back()
    answer = eligible(line_number)
    assert (answer["eligible"], answer["already_refunded"], answer["payment"]) == (False, True, REFERENCE)


def test_refunded_line_was_refunded_already_and_the_others_not() -> None:
    buy(lines=PRICED)
    give_back(money=usd(200), refund_request_id="EDX-1:2")
    assert [eligible(n)["already_refunded"] for n in (1, 2, 3)] == [False, True, False]
    assert [eligible(n)["eligible"] for n in (1, 2, 3)] == [True, False, True]


def test_line_with_a_price_goes_back_at_that_price() -> None:
    buy(lines=PRICED)
    assert [eligible(n)["money"] for n in (1, 2, 3)] == [usd(100), usd(200), usd(300)]


@pytest.mark.parametrize("price", [None, Money(amount=100, currency="EUR")])
def test_line_among_others_whose_price_is_not_known_is_for_a_person(price: Money | None) -> None:
    buy(lines=(LINES[0].model_copy(update={"price": price}), *LINES[1:]))
    answer = eligible(1)
    assert (answer["eligible"], answer["reason"], answer["money"]) == (False, steps.PRICE_NOT_KNOWN, None)


def test_last_line_goes_back_with_all_that_is_left() -> None:
    buy(lines=LINES[:2])
    give_back(money=usd(200), refund_request_id="EDX-1:2")
    answer = eligible(1)
    assert (answer["eligible"], answer["money"]) == (True, None)


def entitlement(line_number: int) -> OrderLine:
    return OrderLine(line_number=line_number, course_uuid=COURSE, mode="verified", price=usd(400))


def test_entitlement_among_other_lines_takes_its_own_line_back_and_no_other() -> None:
    buy(lines=(*PRICED, entitlement(4)))
    answer = eligible(entitlement_uuid=UUID)
    assert (answer["eligible"], answer["line_number"], answer["money"]) == (True, 4, usd(400))


def test_one_of_several_entitlements_is_for_a_person() -> None:
    buy(lines=(entitlement(1), entitlement(2)))
    answer = eligible(entitlement_uuid=UUID)
    assert (answer["eligible"], answer["reason"]) == (False, steps.NOT_ONE_ENTITLEMENT)


def test_line_that_the_order_has_not_may_not() -> None:
    buy()
    assert eligible(4)["reason"] == steps.NOT_IN_ORDER


def test_held_order_may_not(shop: Shop) -> None:
    shop.knows(owed=usd(1))
    buy()
    assert eligible()["reason"] == steps.NOT_PLACED


def test_free_order_may_not() -> None:
    buy(money=usd(0))
    assert eligible()["reason"] == steps.FREE


def test_of_two_payments_the_one_that_stands_is_told() -> None:
    buy()
    buy(payment_id="pay_2")  # held: paid twice
    assert eligible()["payment"] == REFERENCE
    give_back()
    assert eligible()["payment"]["payment_id"] == "pay_2"


def test_one_statement_is_enough(django_assert_num_queries) -> None:
    buy(lines=tuple(OrderLine(line_number=n, course_key=f"c{n}", mode="audit") for n in range(1, 30)))
    assert Payment.objects.count() == 1
    with django_assert_num_queries(1):
        eligible(3)
