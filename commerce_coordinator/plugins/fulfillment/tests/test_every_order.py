"""Refunded beats captured: whatever runs first, is tried again or dies half-way, the same access is left in the end."""

from collections.abc import Iterator

import pytest

from commerce_coordinator.core.testing import assert_not_sent, assert_sent
from commerce_coordinator.payloads.orders import OrderLine

from ..models import Payment
from ..signals import order_placed, order_refunded, refund_needs_attention, revocation_requested
from . import lms_of_a_test as lms
from .purchases import LINES, lose_dispute, pay, refund_fails, repay, routed, usd
from .walking import Walk, nothing_waits

pytestmark = [pytest.mark.django_db, pytest.mark.database]

COURSE = "b8a9d0c1-2f3e-4d5c-8b7a-6f5e4d3c2b1a"
RUN = LINES[0]
ENTITLEMENT = OrderLine(line_number=2, course_uuid=COURSE, mode="verified")


@pytest.fixture(autouse=True)
def _routed() -> Iterator[None]:
    own = lms.__name__
    with (
        routed(
            enrollment_requested=[f"{own}.enroll"],
            entitlement_requested=[f"{own}.grant"],
            revocation_requested=[f"{own}.put_out"],
        ),
        lms.routed_back(),
    ):
        yield


def test_wholly_refunded_payment_leaves_no_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1, order_number="EDX-1")
        assert_not_sent(refund_needs_attention)
        assert Payment.objects.get().placed_order is None

    pay(lines=(RUN, ENTITLEMENT), money=usd(100))
    repay(money=usd(100))
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20


@pytest.mark.slow
def test_wholly_refunded_payment_leaves_no_access_whoever_dies() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(100))
    walk = Walk(ended, deaths=1)
    walk.go()
    assert len(walk.met) > 50


@pytest.mark.slow
def test_two_halves_that_go_back_leave_no_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(50))
    repay(money=usd(50), refund_id="re_2")
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20


@pytest.mark.parametrize("deaths", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_refund_of_one_line_leaves_the_other_whoever_dies(deaths: int) -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert_sent(order_placed, times=1)
        assert_not_sent(order_refunded)
        assert_not_sent(refund_needs_attention)

    pay(lines=(RUN, ENTITLEMENT), money=usd(100))
    repay(money=usd(40), refund_request_id="EDX-1:2")
    walk = Walk(ended, deaths=deaths)
    walk.go()
    assert len(walk.met) > 50


def test_part_that_nobody_asked_for_leaves_all_and_is_told_once() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert_sent(refund_needs_attention, times=1, order_number="EDX-1")
        assert_not_sent(revocation_requested)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(40))
    walk = Walk(ended, deaths=1)
    walk.go()
    assert len(walk.met) > 20


@pytest.mark.parametrize("deaths", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_refund_that_failed_leaves_the_access_whoever_dies(deaths: int) -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert Payment.objects.get().placed_order == "EDX-1"
        assert_sent(order_placed, times=1)
        assert_sent(refund_needs_attention, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(100))
    refund_fails(money=usd(100))
    walk = Walk(ended, deaths=deaths)
    walk.go()
    assert len(walk.met) > 20


@pytest.mark.slow
def test_of_two_halves_one_that_failed_leaves_the_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert Payment.objects.get().refunded_at is None

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(50))
    repay(money=usd(50), refund_id="re_2")
    refund_fails(money=usd(50))
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 50


@pytest.mark.slow
def test_refund_of_one_line_that_failed_leaves_both() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key, COURSE}

    pay(lines=(RUN, ENTITLEMENT), money=usd(100))
    repay(money=usd(40), refund_request_id="EDX-1:2")
    refund_fails(money=usd(40), refund_request_id="EDX-1:2")
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 50


def test_lost_dispute_leaves_no_access() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == set()
        assert_sent(order_refunded, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(30))
    lose_dispute(money=usd(70))
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20


def test_money_that_is_told_of_twice_counts_once() -> None:
    def ended() -> None:
        nothing_waits()
        assert lms.access == {RUN.course_key}
        assert_sent(refund_needs_attention, times=1)

    pay(lines=(RUN,), money=usd(100))
    repay(money=usd(50))
    lose_dispute(money=usd(50), told_as_refund=True)
    walk = Walk(ended)
    walk.go()
    assert len(walk.met) > 20
