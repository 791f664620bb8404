"""Money that went back: all of it takes all access back, one line's takes one, and anything else is told."""

from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.retirement.rooms import Person
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, run_deliveries, sent
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .. import refunding
from ..keeping import keep_refund
from ..models import Payment, Refund
from ..retirement import erase
from ..signals import (
    enrollment_requested,
    order_line_refunded,
    order_placed,
    order_refunded,
    refund_needs_attention,
    revocation_requested,
)
from ..tasks import take_back_late_enrollment, take_back_late_entitlement, take_back_order
from . import lms_of_a_test as lms
from .purchases import LINES, NOON, ORDER, PRICE, REFERENCE, REFUND, pay, refund_fails, repay, routed, usd
from .sources import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("routed")]

COURSE = "b8a9d0c1-2f3e-4d5c-8b7a-6f5e4d3c2b1a"


def buy(**changes: Any) -> Payment:
    delivery = pay(**changes)
    run_deliveries()
    return Payment.objects.get(payment_id=delivery.dispatch.payload["payment_id"])


def taken_back() -> list[int]:
    return [each["line_number"] for each in sent(revocation_requested)]


def test_whole_refund_takes_every_line_back() -> None:
    buy()
    repay()
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert taken_back() == [1, 2, 3]
    assert_sent(
        revocation_requested,
        times=1,
        order_number="EDX-1",
        line_number=2,
        lms_user_id=1313,
        username="ann",
        course_key="course-v1:X+A+1",
        course_uuid="",
        mode="audit",
    )
    assert_sent(order_refunded, times=1, **{**ORDER, "refund_id": "re_1", "money": PRICE})
    assert_not_sent(refund_needs_attention)


def test_line_with_a_courses_uuid_is_taken_back_by_it() -> None:
    buy(lines=(OrderLine(line_number=1, course_uuid=COURSE, mode="verified"),))
    repay()
    run_deliveries()
    assert_sent(revocation_requested, times=1, course_key="", course_uuid=COURSE)


def test_parts_that_make_up_the_whole_take_all_back_once() -> None:
    buy()
    repay(money=usd(44000))
    run_deliveries()
    assert taken_back() == []
    repay(money=usd(700), refund_id="re_2")
    run_deliveries()
    assert taken_back() == [1, 2, 3]
    assert_sent(refund_needs_attention, times=1, refund_id="re_1", reason=refunding.PART)
    assert_sent(order_refunded, times=1, refund_id="re_2", money=PRICE)


def test_refund_told_of_twice_counts_once() -> None:
    buy()
    repay(money=usd(25000))
    take_back_order(**{**REFUND, "money": usd(25000)})
    run_deliveries()
    assert Refund.objects.count() == 1
    assert_not_sent(order_refunded)


@pytest.mark.parametrize("line_number", [1, 2, 3])
def test_part_that_we_asked_for_takes_back_its_line_alone(line_number: int) -> None:
    buy()
    repay(money=usd(14900), refund_request_id=refunding.refund_request_id("EDX-1", line_number))
    run_deliveries()
    assert taken_back() == [line_number]
    assert_not_sent(order_refunded)
    assert_sent(order_line_refunded, times=1, refund_id="re_1", money=usd(14900), lines=(LINES[line_number - 1],))
    assert_not_sent(refund_needs_attention)
    assert [line.line_number for line in Payment.objects.get().given] == [n for n in (1, 2, 3) if n != line_number]


@pytest.mark.parametrize("request_id", ["", "EDX-1:all", "EDX-1:4", "EDX-1:", "EDX-2:1", "1", ":1", "EDX-1:01"])
def test_part_whose_line_is_not_known_is_told_and_takes_nothing(request_id: str) -> None:
    buy()
    repay(money=usd(14900), refund_request_id=request_id)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert_sent(
        refund_needs_attention,
        times=1,
        **REFERENCE,
        refund_id="re_1",
        order_number="EDX-1",
        money=usd(14900),
        reason=refunding.PART,
    )
    assert taken_back() == []
    assert_not_sent(order_line_refunded)
    assert Payment.objects.get().given == LINES


def test_whole_refund_takes_back_what_is_left() -> None:
    buy()
    repay(money=usd(14900), refund_request_id="EDX-1:2")
    run_deliveries()
    repay(money=usd(29800), refund_id="re_2")
    run_deliveries()
    assert taken_back() == [2, 1, 3]
    assert_sent(order_refunded, times=1, refund_id="re_2")
    assert_sent(order_line_refunded, times=1, refund_id="re_1")


def test_line_refunded_twice_is_told() -> None:
    buy()
    for refund_id in ("re_1", "re_2"):
        repay(money=usd(14900), refund_request_id="EDX-1:2", refund_id=refund_id)
        run_deliveries()
    assert taken_back() == [2]
    assert_sent(refund_needs_attention, times=1, refund_id="re_2", reason=refunding.TWICE)


def test_more_than_was_captured_is_told() -> None:
    buy()
    repay(money=usd(44701))
    run_deliveries()
    assert taken_back() == [1, 2, 3]
    assert_sent(order_refunded, times=1)
    assert_sent(refund_needs_attention, times=1, reason=refunding.TOO_MUCH)


def test_refund_in_another_currency_is_told_and_counts_nothing() -> None:
    buy()
    repay(money=Money(amount=44700, currency="EUR"), refund_request_id="EDX-1:2")
    run_deliveries()
    assert taken_back() == []
    assert_sent(refund_needs_attention, times=1, reason=refunding.OTHER_CURRENCY)


def test_negative_refund_is_given_up() -> None:
    buy()
    with pytest.raises(GiveUp, match="negative"):
        take_back_order(**{**REFUND, "money": usd(-1)})
    assert not Refund.objects.exists()


def test_same_refund_id_of_two_payments_is_two_refunds() -> None:
    buy()
    buy(payment_id="pay_2", order_number="EDX-2")
    repay()
    repay(payment_id="pay_2")
    run_deliveries()
    assert sorted(each["order_number"] for each in sent(order_refunded)) == ["EDX-1", "EDX-2"]


# --- A payment that placed nothing ---


def test_refund_before_its_payment_waits_and_no_order_is_placed() -> None:
    refund = repay()
    [waiting] = run_deliveries()
    assert (waiting.state, "has not been told of yet" in waiting.error_text) == ("pending", True)
    pay()
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    for signal in (order_placed, enrollment_requested, revocation_requested):
        assert_not_sent(signal)
    Delivery.objects.filter(pk=refund.pk).update(next_attempt_at=refund.created_at)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert_sent(order_refunded, times=1, order_number="EDX-1", lines=())
    assert_not_sent(revocation_requested)


def test_part_waits_until_the_lines_are_known(shop: Shop) -> None:
    shop.away = True
    pay(lines=())
    repay(money=usd(14900), refund_request_id="EDX-1:2")
    assert [each.state for each in run_deliveries()] == ["pending", "pending"]
    shop.away = False
    shop.knows()
    for _ in range(2):  # the refund first waits for what the order is, then until nothing is being given
        Delivery.objects.filter(state="pending").update(next_attempt_at=NOON)
        run_deliveries()
    assert taken_back() == [2]
    assert_not_sent(refund_needs_attention)


def test_held_payment_that_goes_back_takes_nothing_and_is_never_placed(shop: Shop) -> None:
    shop.knows(owed=usd(1))
    held = pay()
    run_deliveries()
    repay()
    run_deliveries()
    assert_sent(order_refunded, times=1, lines=())
    held.refresh_from_db()
    shop.knows()
    replay(held)
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert_not_sent(order_placed)
    assert_not_sent(revocation_requested)


def test_free_order_is_no_refunded_one() -> None:
    buy(money=usd(0))
    assert_sent(order_placed, times=1)
    assert_not_sent(order_refunded)


# --- What was given after all ---


def test_line_that_was_taken_back_is_not_asked_for_any_more() -> None:
    pay()
    place = Delivery.objects.get()
    deliver(place.pk.hex)
    take_back_line_2 = {**REFUND, "money": usd(14900), "refund_request_id": "EDX-1:2"}
    with pytest.raises(Retry, match="still being given"):
        take_back_order(**take_back_line_2)
    run_deliveries()
    assert [each["line_number"] for each in sent(enrollment_requested)] == [1, 3]
    take_back_order(**take_back_line_2)
    assert taken_back() == [2]


def test_enrolment_from_a_replayed_dead_letter_is_taken_back_again(monkeypatch) -> None:
    lms.access.clear()
    own = lms.__name__
    with (
        routed(enrollment_requested=[f"{own}.enroll"], revocation_requested=[f"{own}.put_out"]),
        lms.routed_back(),
    ):
        pay(lines=LINES[:1])
        with monkeypatch.context() as broken:
            broken.setattr(lms.enrolled, "send_robust", give_up)
            run_deliveries()
        lms.access.clear()
        repay()
        run_deliveries()
        assert lms.access == set()
        replay(Delivery.objects.get(receiver=f"{own}.enroll"))
        run_deliveries()
    assert lms.access == set()
    assert taken_back() == [1, 1]


def test_refund_that_fails_while_its_revocation_waits_leaves_nothing_that_others_paid_back() -> None:
    lms.access.clear()
    own = lms.__name__
    with (
        routed(enrollment_requested=[f"{own}.enroll"], revocation_requested=[f"{own}.put_out"]),
        lms.routed_back(),
    ):
        pay(lines=LINES[:2])
        deliver(Delivery.objects.get().pk.hex)
        deliver(Delivery.objects.get(receiver__endswith=".request_enrollments").pk.hex)
        # One course is given, and nothing is late about it; the other is still to come.
        deliver(Delivery.objects.filter(receiver=f"{own}.enroll").latest("pk").pk.hex)
        deliver(Delivery.objects.get(receiver__endswith=".take_back_late_enrollment").pk.hex)
        with pytest.raises(Retry, match="still being given"):
            take_back_order(**REFUND)
        # The whole went back once more, and then the first one failed: the access is this one's to take.
        take_back_order(**{**REFUND, "refund_id": "re_2"})
        deliver(refund_fails().pk.hex)
        run_deliveries()
        take_back_order(**REFUND)
        run_deliveries()
    assert lms.access == set()


def give_up(**_: Any) -> None:
    raise GiveUp("The LMS will not.")


@pytest.mark.parametrize("order_number", ["", "EDX-2"])
def test_access_of_an_order_that_we_do_not_know_stays(order_number: str) -> None:
    buy()
    repay()
    run_deliveries()
    about = {"order_number": order_number, "line_number": 1, "username": "ann", "mode": "audit"}
    take_back_late_enrollment(**about, course_key="course-v1:X+C+1")
    take_back_late_entitlement(**about, course_uuid=COURSE)
    assert len(taken_back()) == 3


def test_access_by_a_later_payment_of_the_order_stays() -> None:
    buy()
    repay()
    run_deliveries()
    buy(payment_id="pay_2")
    take_back_late_enrollment(
        order_number="EDX-1", line_number=1, username="ann", mode="verified", course_key="course-v1:X+C+1"
    )
    assert len(taken_back()) == 3


# --- Retirement ---


def test_retired_learner_is_nowhere_in_our_tables() -> None:
    buy()
    buy(payment_id="pay_2", order_number="EDX-2", lms_user_id=7, username="bo", email="bo@example.com")
    repay(money=usd(100))
    run_deliveries()
    erase(Person(lms_user_id=1313))
    rows = str([list(model.objects.values()) for model in (Payment, Refund)])
    assert "ann" not in rows
    assert "'bo'" in rows


def test_money_of_a_retired_learner_goes_back_without_a_call_on_the_lms() -> None:
    buy()
    erase(Person(lms_user_id=1313))
    repay()
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    assert_sent(order_refunded, times=1, username="", email="")
    assert_not_sent(revocation_requested)


# --- What it costs ---


def test_keeping_a_refund_takes_the_same_statements_whatever_was_bought(django_assert_num_queries) -> None:
    many = tuple(OrderLine(line_number=n, course_key=f"course-v1:X+{n}+1", mode="audit") for n in range(1, 41))
    for payment_id, lines in (("pay_1", LINES[:1]), ("pay_2", many)):
        buy(payment_id=payment_id, order_number=f"EDX-{payment_id}", lines=lines)
        with django_assert_num_queries(6):  # payment, refunds, two writes, within a savepoint's two lines
            keep_refund(**{**REFUND, "payment_id": payment_id}, refund_request_id="")
