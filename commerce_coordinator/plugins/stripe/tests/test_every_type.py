"""Every type of the table, as Stripe sends it in several API versions: by the real webhook, with a real signature."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, sent
from commerce_coordinator.payloads.money import Money

from ..signals import (
    charge_refunded,
    dispute_lost,
    dispute_won,
    payment_captured,
    payment_disputed,
    payment_failed,
    payment_refunded,
    refund_failed,
)
from ..table import SIGNALS
from .stripe_events import NOW, PRIVATE, event, payment_intent, post
from .stripe_objects import VALID, VERSIONS, canceled_intent, charge, dispute, failed_intent, refund, session, told

pytestmark = [pytest.mark.django_db, pytest.mark.database]

THEN = datetime.fromtimestamp(NOW - 3, UTC)  # the event's time
MINUTE_AGO = datetime.fromtimestamp(NOW - 60, UTC)  # the refund's own
PAYMENT = {"provider": "stripe", "account": "", "payment_id": "pi_1"}
PARTIAL = {**PAYMENT, "refund_id": "re_1", "money": Money(amount=10000, currency="USD"), "refund_request_id": ""}
DISPUTE = {**PAYMENT, "dispute_id": "dp_1", "money": Money(amount=44700, currency="USD")}
FAILED = {**PAYMENT, "order_number": "EDX-1", "lms_user_id": 1313, "failed_at": THEN}

#: Type -> (object, signal, its values), in every version alike.
SENT: dict[str, tuple[str, Any, Any, dict[str, Any]]] = {
    "captured": ("payment_intent.succeeded", payment_intent(), payment_captured, PAYMENT),
    "declined": (
        "payment_intent.payment_failed",
        failed_intent(),
        payment_failed,
        {**FAILED, "final": False, "reason": "insufficient_funds"},
    ),
    "failed, without a decline code": (
        "payment_intent.payment_failed",
        failed_intent(last_payment_error={"code": "expired_card", "decline_code": None}),
        payment_failed,
        {**FAILED, "final": False, "reason": "expired_card"},
    ),
    "failed, with no more than words": (
        "payment_intent.payment_failed",
        failed_intent(last_payment_error={"code": "Ann's card, expired", "message": "Ann's card"}),
        payment_failed,
        {**FAILED, "final": False, "reason": ""},
    ),
    "failed for an unknown buyer": (
        "payment_intent.payment_failed",
        failed_intent(last_payment_error=None, metadata={"lms_user_id": ...}),
        payment_failed,
        {**FAILED, "lms_user_id": None, "reason": ""},
    ),
    "canceled": (
        "payment_intent.canceled",
        canceled_intent(),
        payment_failed,
        {**FAILED, "final": True, "reason": "abandoned"},
    ),
    "session": (
        "checkout.session.completed",
        session(),
        payment_captured,
        {**PAYMENT, "money": Money(amount=44700, currency="USD")},
    ),
    "session with its intent in it": (
        "checkout.session.completed",
        session(payment_intent=payment_intent()),
        payment_captured,
        PAYMENT,
    ),
    "session of a gift": (
        "checkout.session.completed",
        session(payment_status="no_payment_required", payment_intent=None, amount_total=0),
        payment_captured,
        {**PAYMENT, "payment_id": "cs_test_1", "money": Money(amount=0, currency="USD")},
    ),
    "session, paid late": ("checkout.session.async_payment_succeeded", session(), payment_captured, PAYMENT),
    "session, failed late": (
        "checkout.session.async_payment_failed",
        session(payment_status="unpaid"),
        payment_failed,
        {**FAILED, "final": True, "reason": ""},
    ),
    "charge with its refunds": (
        "charge.refunded",
        charge(refund()),
        payment_refunded,
        {**PARTIAL, "refunded_at": MINUTE_AGO},
    ),
    "charge with a refund of old times": (
        "charge.refunded",
        charge(refund(status=..., payment_intent=...)),
        payment_refunded,
        PARTIAL,
    ),
    "refund": ("refund.created", refund(), payment_refunded, {**PARTIAL, "refunded_at": THEN}),
    "refund on request": (
        "refund.created",
        refund(metadata={"refund_request_id": "rr-7"}),
        payment_refunded,
        {**PARTIAL, "refund_request_id": "rr-7"},
    ),
    "refund with its intent in it": (
        "refund.created",
        refund(payment_intent=payment_intent()),
        payment_refunded,
        PARTIAL,
    ),
    "refund, done later": ("refund.updated", refund(), payment_refunded, PARTIAL),
    "refund, done later, by the older name": ("charge.refund.updated", refund(), payment_refunded, PARTIAL),
    **{
        f"refund, {status}, by {name}": (
            name,
            refund(status=status, failure_reason=reason, metadata={"refund_request_id": "rr-7"}),
            refund_failed,
            {**PARTIAL, "refund_request_id": "rr-7", "failed_at": THEN, "reason": reason or status},
        )
        for name in ("refund.updated", "charge.refund.updated", "refund.failed")
        for status, reason in (("failed", "lost_or_stolen_card"), ("canceled", None))
    },
    "dispute": (
        "charge.dispute.created",
        dispute(),
        payment_disputed,
        {**DISPUTE, "disputed_at": THEN, "reason": "fraudulent"},
    ),
    "dispute lost": (
        "charge.dispute.closed",
        dispute(status="lost"),
        dispute_lost,
        {**DISPUTE, "lost_at": THEN, "told_as_refund": False},
    ),
    "dispute won": ("charge.dispute.closed", dispute(status="won"), dispute_won, {**DISPUTE, "won_at": THEN}),
}

#: What is kept and has no effect: (type, object).
IGNORED: dict[str, tuple[str, Any]] = {
    "session, not yet paid": ("checkout.session.completed", session(payment_status="unpaid")),
    "session of a subscription": ("checkout.session.completed", session(mode="subscription", payment_intent=None)),
    "session of a set-up": ("checkout.session.completed", session(mode="setup", payment_status="no_payment_required")),
    **{f"{name} of another": (name, {**VALID[name], "metadata": {"source_system": "donations"}}) for name in SIGNALS},
    **{
        f"{name} of nobody": (name, {**VALID[name], "metadata": {}})
        for name in SIGNALS
        if name.startswith(("payment_intent.", "checkout."))
    },
    **{
        f"{name} without a payment": (name, {**VALID[name], "payment_intent": None})
        for name in SIGNALS
        if name.startswith(("charge.", "refund."))
    },
    "refunds that are another's or undecided": (
        "charge.refunded",
        charge(refund(metadata={"source_system": "donations"}), refund(id="re_2", status="requires_action")),
    ),
    **{
        f"{name}, {status}": (name, refund(status=status))
        for name in ("refund.created", "refund.updated", "charge.refund.updated")
        for status in ("pending", "requires_action")
    },
    **{
        f"inquiry, {status}": ("charge.dispute.created", dispute(status=status))
        for status in ("warning_needs_response", "warning_under_review")
    },
    "inquiry, closed": ("charge.dispute.closed", dispute(status="warning_closed")),
    "dispute's money taken": ("charge.dispute.funds_withdrawn", dispute()),
}

#: What is kept for an operator: (type, object, field that the reason names).
FAILING: dict[str, tuple[str, Any, str]] = {
    "session without a mode": ("checkout.session.completed", session(mode=...), "mode"),
    "session with no status": ("checkout.session.completed", session(payment_status=...), "payment_status"),
    "session, half paid": ("checkout.session.completed", session(payment_status="half"), "payment_status"),
    "session, late and unpaid": (
        "checkout.session.async_payment_succeeded",
        session(payment_status="unpaid"),
        "payment_status",
    ),
    "session without a sum": ("checkout.session.completed", session(amount_total=None), "amount_total"),
    "refund in a status of its own": ("refund.updated", refund(status="Ann"), "data.object.status"),
    "refund without a status": ("refund.created", refund(status=...), "data.object.status"),
    "refund of less than nothing": ("refund.created", refund(amount=-5), "data.object.amount"),
    "refund of a payment that is a number": ("refund.created", refund(payment_intent=7), "payment_intent"),
    "refund of a payment without id": ("refund.created", refund(payment_intent={}), "payment_intent.id"),
    "charge whose refunds are a text": ("charge.refunded", charge(refunds="re_1"), "data.object.refunds"),
    "charge with a refund that is none": ("charge.refunded", charge(refund(), "re_2"), "refunds.data[1]"),
    "charge with a refund without time": ("charge.refunded", charge(refund(created="?")), "refunds.data[0].created"),
    "dispute that ended otherwise": ("charge.dispute.closed", dispute(status="prevented"), "data.object.status"),
    "dispute that has not ended": ("charge.dispute.closed", dispute(status="under_review"), "data.object.status"),
    "dispute without an id": ("charge.dispute.created", dispute(id=...), "data.object.id"),
}


def test_each_type_of_the_table_is_tried() -> None:
    assert {each[0] for each in SENT.values()} == set(SIGNALS) == set(VALID)


@pytest.mark.parametrize("version", [*VERSIONS, None])
@pytest.mark.parametrize(("name", "found", "signal", "values"), SENT.values(), ids=SENT.keys())
def test_each_type_tells_its_fact_in_every_version(
    name: str, found: Any, signal: Any, values: dict[str, Any], version: str | None
) -> None:
    assert post(told(name, found, api_version=version)).json()["status"] == "sent"
    assert_sent(signal, times=1, **values)
    for other in (payment_captured, payment_failed, payment_refunded, refund_failed, payment_disputed):
        if other is not signal:
            assert_not_sent(other)


@pytest.mark.parametrize(("name", "found"), IGNORED.values(), ids=IGNORED.keys())
def test_what_has_no_effect_is_kept_with_a_reason(name: str, found: Any) -> None:
    assert post(told(name, found)).json()["status"] == "ignored"
    assert InboxEvent.objects.get().reason


@pytest.mark.parametrize(("name", "found", "field"), FAILING.values(), ids=FAILING.keys())
def test_what_cannot_be_understood_is_kept_for_an_operator(name: str, found: Any, field: str, caplog: Any) -> None:
    assert post(told(name, found)).json()["status"] == "failed"
    reason = InboxEvent.objects.get().reason
    assert field in reason
    assert not [value for value in (*PRIVATE, "Ann") if value in reason]
    assert "A payload could not be built." not in caplog.text


# --- Test mode and live mode; what is null at Stripe ---


@pytest.mark.parametrize("name", VALID)
@pytest.mark.parametrize("live", [True, False])
def test_an_event_of_the_other_mode_is_ignored(name: str, live: bool, settings: Any) -> None:
    settings.CC_STRIPE_LIVEMODE = live
    assert post(told(name, VALID[name], id="evt_1", livemode=not live)).json()["status"] == "ignored"
    assert post(told(name, VALID[name], id="evt_2", livemode=live)).json()["status"] == "sent"


@pytest.mark.parametrize("request_of_it", [None, {"id": None, "idempotency_key": None}, ...])
def test_an_event_that_no_request_caused_is_as_good(request_of_it: Any) -> None:
    for number, (name, found) in enumerate(VALID.items()):
        assert post(told(name, found, id=f"evt_{number}", request=request_of_it)).json()["status"] == "sent"


# --- Once ---


@pytest.mark.parametrize("first_is_session", [True, False])
def test_a_session_and_its_intent_take_effect_once_and_agree_on_the_sum(first_is_session: bool) -> None:
    events = [told("checkout.session.completed", session()), event(payment_intent())]
    for number, each in enumerate(events if first_is_session else reversed(events)):
        assert post({**each, "id": f"evt_{number}"}).json()["status"] == "sent"
    [payment] = sent(payment_captured)
    assert payment["money"] == Money(amount=44700, currency="USD")


def test_an_intent_without_references_is_left_to_its_session() -> None:
    assert post(event(payment_intent() | {"metadata": {}})).json()["status"] == "ignored"
    assert post(told("checkout.session.completed", session(), id="evt_2")).json()["status"] == "sent"
    assert_sent(payment_captured, times=1, payment_id="pi_1", order_number="EDX-1")


REFUND_STORY = [
    told("charge.refunded", charge(refund()), id="evt_charge"),
    told("refund.created", refund(), id="evt_created"),
    told("refund.updated", refund(), id="evt_updated"),
    told("charge.refund.updated", refund(), id="evt_older"),
]


@pytest.mark.parametrize(
    "story", list(permutations(REFUND_STORY)), ids=lambda story: "-".join(each["id"] for each in story)
)
def test_a_refund_counts_once_whichever_events_tell_of_it_in_whatever_order(story: Any) -> None:
    for each in story:
        assert post(each).json()["status"] == "sent"
    assert_sent(payment_refunded, times=1, refund_id="re_1")


def test_several_refunds_of_a_charge_count_once_each() -> None:
    post(told("charge.refunded", charge(refund()), id="evt_1"))
    post(told("charge.refunded", charge(refund(id="re_2", amount=1), refund(), refund()), id="evt_2"))
    assert [each["refund_id"] for each in sent(payment_refunded)] == ["re_1", "re_2"]


def test_a_refund_that_succeeded_may_still_fail() -> None:
    post(told("refund.created", refund(), id="evt_1"))
    post(told("refund.failed", refund(status="failed"), id="evt_2"))
    post(told("refund.updated", refund(status="failed"), id="evt_3"))
    assert_sent(payment_refunded, times=1, refund_id="re_1")
    assert_sent(refund_failed, times=1, refund_id="re_1")


def test_each_try_to_pay_is_news() -> None:
    for number in range(3):
        post(told("payment_intent.payment_failed", failed_intent(), id=f"evt_{number}"))
    assert_sent(payment_failed, times=3, payment_id="pi_1")


# --- A charge that does not carry its refunds ---


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("2019-12-03", "sent"),
        ("2022-11-15", "sent"),
        ("2024-06-20", "sent"),
        ("2024-09-30.acacia", "sent"),
        ("2024-10-28.acacia", "ignored"),
        ("2025-03-31.basil", "ignored"),
        (None, "sent"),
        ("", "sent"),
        ("unversioned", "sent"),
        (7, "sent"),
    ],
)
def test_a_charge_without_its_refunds_asks_for_a_look_unless_events_tell_of_them(version: Any, state: str) -> None:
    assert post(told("charge.refunded", charge(), api_version=version)).json()["status"] == state
    assert_not_sent(payment_refunded)
    assert sent(charge_refunded) == (
        [{"account": "", "payment_id": "pi_1", "charge_id": "ch_1"}] if state == "sent" else []
    )


def test_each_such_event_asks_for_a_look_of_its_own() -> None:
    for number in range(2):
        post(told("charge.refunded", charge(), id=f"evt_{number}"))
    assert_sent(charge_refunded, times=2, charge_id="ch_1")


def test_a_charge_that_carries_not_all_of_its_refunds_asks_for_a_look_too() -> None:
    found = charge(refund())
    found["refunds"]["has_more"] = True
    post(told("charge.refunded", found, api_version="2022-08-01"))
    assert_sent(payment_refunded, times=1, refund_id="re_1")
    assert_sent(charge_refunded, times=1, charge_id="ch_1")


# --- Money of every kind of object ---


@pytest.mark.parametrize(
    ("currency", "counted", "amount"),
    [("kwd", 14990, 14990), ("isk", 14900, 149), ("ugx", 14900, 149), ("mga", 149, 14900), ("jpy", 149, 149)],
)
def test_refunds_and_disputes_are_counted_as_stripe_counts_them(currency: str, counted: int, amount: int) -> None:
    values = {"amount": counted, "currency": currency}
    post(told("refund.created", refund(**values), id="evt_1"))
    post(told("charge.refunded", charge(refund(id="re_2", **values)), id="evt_2"))
    post(told("charge.dispute.closed", dispute(status="lost", **values), id="evt_3"))
    post(told("checkout.session.completed", session(amount_total=counted, currency=currency), id="evt_4"))
    assert [
        each["money"] for signal in (payment_refunded, dispute_lost, payment_captured) for each in sent(signal)
    ] == [Money(amount=amount, currency=currency.upper())] * 4
