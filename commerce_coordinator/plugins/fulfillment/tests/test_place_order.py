"""The order, checked: placed when the payment is its price, else held where an operator sees it."""

from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, run_deliveries, sent
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine

from .. import checking, keeping
from ..models import Payment
from ..signals import enrollment_requested, order_held, order_placed, revocation_requested
from . import lms_of_a_test
from .purchases import LINES, ORDER, PRICE, REFERENCE, pay, repay, routed, usd
from .sources import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("routed")]

ONE = (OrderLine(line_number=1, course_key="course-v1:X+Z+1", mode="audit"),)


def kept() -> Payment:
    return Payment.objects.get()


def test_payment_is_remembered_with_its_order() -> None:
    pay()
    run_deliveries()
    payment = kept()
    assert (payment.reference, payment.order_number, payment.money) == (REFERENCE, "EDX-1", PRICE)
    assert (payment.lms_user_id, payment.username, payment.order_lines) == (1313, "ann", LINES)
    assert (payment.given, payment.placed_at is not None) == (LINES, True)


def test_price_that_was_paid_places_the_order(shop: Shop) -> None:
    shop.knows(owed=PRICE, lines=ONE)
    pay(lines=())
    run_deliveries()
    assert_sent(order_placed, times=1, **{**ORDER, "lines": ONE})
    assert kept().order_lines == ONE


def test_system_of_record_is_asked_with_all_that_the_payment_tells(shop: Shop) -> None:
    shop.knows()
    pay()
    run_deliveries()
    [asked] = shop.asked
    assert {name: asked[name] for name in ("order_number", *REFERENCE, "lines")} == {
        "order_number": "EDX-1",
        **REFERENCE,
        "lines": LINES,
    }


def test_nothing_paid_is_right_where_nothing_is_owed(shop: Shop) -> None:
    shop.knows(owed=usd(0))
    pay(money=usd(0))
    assert run_deliveries()[0].state == "succeeded"
    assert_sent(order_placed, times=1, money=usd(0))


def test_price_that_no_source_knows_is_not_compared(shop: Shop) -> None:
    shop.knows(owed=None)
    pay(money=usd(1))
    run_deliveries()
    assert_sent(order_placed, times=1, money=usd(1))


TWINS = (ONE[0], ONE[0])

#: (what the shop knows, lines of the payment, reason)
HELD: dict[str, tuple[dict[str, Any] | None, tuple[OrderLine, ...], str]] = {
    "too little": ({"owed": usd(44701)}, LINES, checking.OTHER_AMOUNT),
    "too much": ({"owed": usd(44699)}, LINES, checking.OTHER_AMOUNT),
    "something for nothing": ({"owed": usd(0)}, LINES, checking.OTHER_AMOUNT),
    "other currency": ({"owed": Money(amount=44700, currency="EUR")}, LINES, checking.OTHER_CURRENCY),
    "nobody knows a line": (None, (), checking.NO_LINES),
    "two lines of one number": ({"lines": TWINS}, LINES, checking.SAME_NUMBERS),
}


@pytest.mark.parametrize(("known", "lines", "reason"), HELD.values(), ids=HELD.keys())
def test_what_is_not_the_order_is_held(shop: Shop, known: Any, lines: Any, reason: str) -> None:
    if known is not None:
        shop.knows(**known)
    pay(lines=lines)
    [dead] = run_deliveries()
    owed = (known or {}).get("owed", PRICE if known else None)
    assert (dead.state, dead.error_class, dead.attempts) == ("dead", "GiveUp", 1)
    assert reason in dead.error_text
    assert "447.00 USD" in dead.error_text
    assert (str(owed) if owed else "not known") in dead.error_text
    assert_not_sent(order_placed)
    assert_sent(
        order_held,
        times=1,
        **REFERENCE,
        order_number="EDX-1",
        money=PRICE,
        owed=owed,
        reason=reason,
        lms_user_id=1313,
    )
    assert (kept().held_because, kept().placed_order, kept().given) == (reason, None, ())


def test_answer_for_another_order_is_held(shop: Shop) -> None:
    shop.knows("EDX-2")
    shop.orders["EDX-1"] = shop.orders["EDX-2"]
    pay()
    [dead] = run_deliveries()
    assert (dead.state, kept().held_because) == ("dead", checking.OTHER_ORDER)


def test_order_that_the_system_of_record_cannot_tell_is_held(shop: Shop) -> None:
    shop.refuses = True
    pay()
    [dead] = run_deliveries()
    assert (dead.state, "The shop answered 400." in dead.error_text) == ("dead", True)
    assert_sent(order_held, times=1, reason=checking.NOT_TOLD, owed=None)


def test_held_order_names_nobody(shop: Shop) -> None:
    shop.knows(owed=usd(1))
    pay()
    [dead] = run_deliveries()
    assert not [each for each in ("ann", "1313") if each in dead.error_text + str(sent(order_held)[0]["reason"])]


def test_replay_after_a_fix_places_the_held_order(shop: Shop) -> None:
    shop.knows(owed=usd(1))
    delivery = pay()
    run_deliveries()
    shop.knows(owed=PRICE)
    delivery.refresh_from_db()
    replay(delivery)
    assert {each.state for each in run_deliveries()} == {"succeeded"}
    assert_sent(order_placed, times=1, **ORDER)
    assert (kept().held_at, kept().held_because, kept().given) == (None, "", LINES)


def test_replay_without_a_fix_holds_it_again_and_tells_nobody_twice(shop: Shop) -> None:
    shop.knows(owed=usd(1))
    delivery = pay()
    run_deliveries()
    delivery.refresh_from_db()
    replay(delivery)
    assert [each.state for each in run_deliveries()] == ["dead"]
    assert_sent(order_held, times=1)


# --- A source that is away ---


def test_source_that_is_away_is_waited_for(shop: Shop) -> None:
    shop.away = True
    delivery = pay()
    [waiting] = run_deliveries()
    assert (waiting.state, waiting.error_text) == ("pending", "The shop is away.")
    assert_not_sent(order_held)
    shop.away = False
    shop.knows()
    make_due(delivery)
    run_deliveries()
    assert_sent(order_placed, times=1, **ORDER)


def test_refund_does_not_wait_for_a_source_that_is_away(shop: Shop) -> None:
    shop.away = True
    delivery = pay()
    run_deliveries()
    repay()
    assert [each.state for each in run_deliveries()] == ["succeeded"]
    make_due(delivery)
    assert [each.state for each in run_deliveries()] == ["succeeded"], "nothing is left to be asked"
    assert_not_sent(order_placed)


def make_due(delivery: Delivery) -> None:
    delivery.refresh_from_db()
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.created_at)


# --- Two payments of one order ---


def test_second_payment_of_an_order_is_held() -> None:
    pay()
    pay(payment_id="pay_2")
    assert sorted(each.state for each in run_deliveries()) == ["dead", "succeeded", "succeeded"]
    assert [each["payment_id"] for each in sent(order_placed)] == ["pay_1"]
    assert_sent(order_held, times=1, payment_id="pay_2", reason=checking.PAID_TWICE)


def test_second_payment_of_the_same_moment_waits_and_is_held(monkeypatch) -> None:
    pay()
    run_deliveries()
    second = pay(payment_id="pay_2")
    with monkeypatch.context() as racing:
        # It looked before the first one was written.
        racing.setattr("commerce_coordinator.plugins.fulfillment.placing.payments_of", lambda capture: (None, []))
        [waiting] = run_deliveries()
    assert (waiting.state, "at the same moment" in waiting.error_text) == ("pending", True)
    make_due(second)
    assert [each.state for each in run_deliveries()] == ["dead"]
    assert_sent(order_held, times=1, payment_id="pay_2", reason=checking.PAID_TWICE)
    assert_sent(order_placed, times=1)


def test_refunded_order_can_be_paid_afresh() -> None:
    pay()
    run_deliveries()
    repay()
    run_deliveries()
    pay(payment_id="pay_2")
    run_deliveries()
    assert [each["payment_id"] for each in sent(order_placed)] == ["pay_1", "pay_2"]
    assert len(sent(enrollment_requested)) == 6
    assert Payment.objects.get(payment_id="pay_2").given == LINES


def test_held_second_payment_is_placed_when_the_first_has_gone_back() -> None:
    pay()
    second = pay(payment_id="pay_2")
    run_deliveries()
    repay()
    run_deliveries()
    second.refresh_from_db()
    replay(second)
    run_deliveries()
    assert [each["payment_id"] for each in sent(order_placed)] == ["pay_1", "pay_2"]


def test_new_payment_waits_until_the_old_ones_access_is_gone() -> None:
    # Else the revocation, tried again later, would take away what the new payment gave.
    with routed(revocation_requested=[f"{lms_of_a_test.__name__}.put_out"]):
        pay()
        run_deliveries()
        repay()
        run_deliveries()
    revocations = Delivery.objects.filter(dispatch__signal=revocation_requested.name)
    assert revocations.count() == 3
    one = revocations.first()
    revocations.filter(pk=one.pk).update(state="running", lease_until=None)
    second = pay(payment_id="pay_2")
    [waiting] = run_deliveries()
    assert (waiting.state, "still being taken back" in waiting.error_text) == ("pending", True)
    revocations.filter(pk=one.pk).update(state="succeeded")
    make_due(second)
    run_deliveries()
    assert_sent(order_placed, times=1, payment_id="pay_2")


# --- What it costs ---


def test_statements_of_placing_an_order(django_assert_num_queries) -> None:
    capture = keeping.Capture(**{name: value for name, value in ORDER.items() if name != "lines"})
    with django_assert_num_queries(1):
        own, others = keeping.payments_of(capture)
    with django_assert_num_queries(3):  # one INSERT, between its savepoint's two lines
        keeping.keep_capture(capture, own, others, checking.Checked(lines=LINES))
