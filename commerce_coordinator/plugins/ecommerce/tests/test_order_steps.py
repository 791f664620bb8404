"""The legacy shop's own word on one order: its lines, its price, its receipt."""

from typing import Any

import pytest

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine

from .. import resting
from ..steps import LegacyOrderDetails, LegacyReceipt
from .fake_shop import Answer, FakeShop, line, order, seat


def step(kind: Any) -> Any:
    return kind(filter_type="test", running_pipeline=[])


# --- The order itself ---


def details(**asked: Any) -> Any:
    return step(LegacyOrderDetails).run_filter(**{"order_number": "EDX-1", "details": None, "provider": "p", **asked})


def test_order_is_told_with_its_lines_and_its_price(shop: FakeShop) -> None:
    uuid = "7ba2ecd8-3b75-4a4c-ae76-5a4b0f3a2a7e"
    entitlement = {
        "product_class": "Course Entitlement",
        "attribute_values": [{"code": "UUID", "value": uuid}, {"code": "certificate_type", "value": "professional"}],
    }
    credit = seat(certificate_type="credit", credit_provider="asu")
    lines = [line(), line(entitlement, line_price_excl_tax=None), line(credit, line_price_excl_tax="0.50")]
    shop.orders = [order("EDX-1", lines=lines, total_excl_tax="149.50")]
    course = "course-v1:DemoX+Baking+2026"
    title = "Seat in Baking"
    assert details() == {
        "details": OrderDetails(
            order_number="EDX-1",
            owed=Money(amount=14950, currency="USD"),
            source="ecommerce",
            lines=(
                OrderLine(
                    line_number=1,
                    course_key=course,
                    mode="verified",
                    title=title,
                    price=Money(amount=14900, currency="USD"),
                ),
                OrderLine(line_number=2, course_uuid=uuid, mode="no-id-professional", title=title),
                OrderLine(
                    line_number=3,
                    course_key=course,
                    mode="credit",
                    title=title,
                    credit_provider="asu",
                    price=Money(amount=50, currency="USD"),
                ),
            ),
        )
    }


@pytest.mark.parametrize(
    ("attributes", "mode"),
    [
        ({}, "verified"),
        ({"certificate_type": ""}, "audit"),
        ({"certificate_type": None}, "audit"),
        ({"certificate_type": "honor"}, "honor"),
        ({"certificate_type": "professional"}, "professional"),
        ({"certificate_type": "professional", "id_verification_required": False}, "no-id-professional"),
    ],
)
def test_mode_is_the_one_that_the_shop_enrols_in(shop: FakeShop, attributes: dict[str, Any], mode: str) -> None:
    shop.orders = [order("EDX-1", lines=[line(seat(**attributes))])]
    assert details()["details"].lines[0].mode == mode


def test_order_that_the_shop_does_not_have_is_left_to_others(shop: FakeShop) -> None:
    assert details() == {}


def test_price_that_is_known_already_is_not_asked_for(shop: FakeShop) -> None:
    known = OrderDetails(
        order_number="EDX-1",
        owed=Money(amount=1, currency="EUR"),
        source="other",
        lines=(OrderLine(line_number=1, course_key="course-v1:a+b+c", mode="audit"),),
    )
    shop.orders = [order("EDX-1")]
    assert details(details=known) == {}
    assert shop.calls == []
    assert details(details=known.model_copy(update={"owed": None}))["details"].source == "ecommerce"


@pytest.mark.parametrize(
    "values",
    [
        {"lines": []},
        {"lines": None},
        {"lines": [None]},
        {"lines": [line({"product_class": "Donation from checkout tab"})]},
        {"lines": [line(), line({"product_class": "Enrollment Code"})]},
        {"lines": [line({"product_class": "Seat", "attribute_values": []})]},
        {"lines": [line({"product_class": "Seat"})]},
        {"lines": [line(seat(course_key="a b"))]},
        {"lines": [line(line_price_excl_tax="much")]},
        {"total_excl_tax": "much"},
        {"currency": None},
    ],
    ids=str,
)
def test_order_that_gives_no_course_or_has_no_price_is_given_up(shop: FakeShop, values: dict[str, Any]) -> None:
    shop.orders = [{**order("EDX-1"), **values}]
    with pytest.raises(GiveUp, match="no course and no price"):
        details()


@pytest.mark.parametrize("answer", [Answer(status=503, html=True), Answer(html=True), Answer(drop=True)], ids=str)
def test_order_does_not_pass_unchecked_while_the_shop_is_away(shop: FakeShop, answer: Answer) -> None:
    shop.will("order", answer)
    with pytest.raises(Retry):
        details()


@pytest.mark.parametrize("answer", [Answer(status=404, html=True), Answer(status=403, body={})], ids=str)
def test_wrong_address_is_no_missing_order(shop: FakeShop, answer: Answer) -> None:
    shop.will("order", answer)
    with pytest.raises(GiveUp):
        details()


def test_number_cannot_leave_its_place_in_the_address(shop: FakeShop) -> None:
    assert details(order_number="../users/?x=#y") == {}
    [call] = shop.of("order")
    assert call.path.endswith("/orders/..%2Fusers%2F%3Fx%3D%23y/")


def test_order_to_be_placed_is_asked_for_all_the_same(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1")]
    resting.begin()
    assert details() != {}


# --- The receipt ---


def receipt(**asked: Any) -> Any:
    return step(LegacyReceipt).run_filter(**{"order_number": "EDX-1", "username": "amina", "lms_user_id": 7, **asked})


def test_receipt_is_the_shops_page_for_browsers(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1"), order("EDX/&2")]
    root = "https://shop.example.com/checkout/receipt/?order_number="
    assert receipt() == {"receipt_url": f"{root}EDX-1"}
    assert receipt(order_number="EDX/&2") == {"receipt_url": f"{root}EDX%2F%262"}


@pytest.mark.parametrize("username", ["bo", "Amina"])
def test_receipt_of_another_is_none(shop: FakeShop, username: str) -> None:
    shop.orders = [order("EDX-1")]
    assert receipt(username=username) == {}


def test_staff_get_the_receipt_of_any_order_that_the_shop_has(shop: FakeShop) -> None:
    shop.orders = [order("EDX-1")]
    assert receipt(username="", lms_user_id=None) != {}
    assert receipt(username="", lms_user_id=None, order_number="EDX-2") == {}


def test_receipt_that_another_step_knows_is_left_alone(shop: FakeShop) -> None:
    assert receipt(receipt_url="https://other.example.com") == {}
    assert shop.calls == []
