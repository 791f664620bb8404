"""Refunds that we ask Stripe for: once per request, whatever is lost on the way, and never more than is there."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import assert_not_sent, routes_as, run_deliveries, sent
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import RefundRequested

from .. import client
from ..signals import charge_refunded, payment_refunded
from .fake_stripe import KEY, Answer, FakeStripe, error, running_stripe

pytestmark = pytest.mark.django_db

TASKS = "commerce_coordinator.plugins.stripe.tasks"
asked = CoordinatorSignal(RefundRequested, subject="order_number", name=f"{__name__}.asked")
REQUEST: dict[str, Any] = {
    "refund_request_id": "EDX-1:all",
    "order_number": "EDX-1",
    "provider": "stripe",
    "account": "",
    "payment_id": "pi_1",
    "username": "ann",
}


@pytest.fixture
def api(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    contracts.remember(asked.name, RefundRequested)
    routes = {asked.name: [f"{TASKS}.refund_payment"], payment_refunded.name: []}
    with running_stripe() as running, routes_as(routes):
        settings.CC_STRIPE_API_URL = running.url
        settings.CC_STRIPE_API_KEYS = {"": KEY}
        running.paid()
        yield running
        for each in client._local.__dict__.pop("apis", {}).values():
            each.close()


def ask(**changes: Any) -> Delivery:
    """A refund was asked for, and what is due is run; returns the delivery as it is then."""
    [(_, delivery)] = asked.send_robust(sender="test", **{**REQUEST, **changes})
    run_deliveries()
    delivery.refresh_from_db()
    assert isinstance(delivery, Delivery)
    return delivery


def again(delivery: Delivery) -> Delivery:
    """The next try, at once."""
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=delivery.created_at)
    run_deliveries()
    delivery.refresh_from_db()
    return delivery


def refunds(api: FakeStripe) -> list[tuple[int, str]]:
    return [(refund["amount"], refund["metadata"]["refund_request_id"]) for refund in api.refunds]


def why(delivery: Delivery) -> str:
    return str(Attempt.objects.filter(delivery=delivery).latest("number").error_text)


def test_whole_payment_goes_back_and_stripes_event_will_tell(api: FakeStripe) -> None:
    assert ask().state == "succeeded"
    assert refunds(api) == [(44700, "EDX-1:all")]
    [refund] = api.refunds
    assert refund["metadata"] == {
        "source_system": "commerce_coordinator",
        "order_number": "EDX-1",
        "refund_request_id": "EDX-1:all",
    }
    assert_not_sent(payment_refunded)


def test_part_goes_back_and_then_what_is_left(api: FakeStripe) -> None:
    assert ask(refund_request_id="EDX-1:2", money=Money(amount=14900, currency="USD")).state == "succeeded"
    assert ask().state == "succeeded"
    assert refunds(api) == [(14900, "EDX-1:2"), (29800, "EDX-1:all")]


@pytest.mark.parametrize(
    ("currency", "amount", "units"), [("JPY", 500, 500), ("KWD", 1230, 1230), ("ISK", 700, 70000), ("UGX", 9, 900)]
)
def test_amount_is_as_stripe_counts(api: FakeStripe, currency: str, amount: int, units: int) -> None:
    api.paid(amount=100_000, currency=currency.lower())
    assert ask(money=Money(amount=amount, currency=currency)).state == "succeeded"
    assert [refund["amount"] for refund in api.refunds] == [units]


def test_another_providers_payment_is_left_alone(api: FakeStripe) -> None:
    assert ask(provider="paypal").state == "succeeded"
    assert api.calls == []


@pytest.mark.parametrize(
    "lost", [Answer(drop=True, after_effect=True), Answer(status=503, html=True, after_effect=True)]
)
def test_answer_that_was_lost_makes_no_second_refund(api: FakeStripe, lost: Answer) -> None:
    api.will("POST", lost)
    delivery = ask()
    assert (delivery.state, len(api.refunds)) == ("pending", 1)
    assert again(delivery).state == "succeeded"
    assert refunds(api) == [(44700, "EDX-1:all")]
    assert len(api.of("POST")) == 1


def test_part_that_went_back_is_found_even_if_stripe_has_forgotten_the_key(api: FakeStripe) -> None:
    api.will("POST", Answer(drop=True, after_effect=True))
    delivery = ask(refund_request_id="EDX-1:2", money=Money(amount=14900, currency="USD"))
    assert (delivery.state, len(api.refunds)) == ("pending", 1)
    api.remembered.clear()
    assert again(delivery).state == "succeeded"
    assert refunds(api) == [(14900, "EDX-1:2")]


@pytest.mark.parametrize("answer", [error(500), error(503), error(409, code="idempotency_key_in_use"), error(429)])
def test_failure_that_may_pass_is_tried_again(api: FakeStripe, answer: Answer) -> None:
    api.will("POST", answer)
    delivery = ask()
    assert (delivery.state, api.refunds) == ("pending", [])
    assert again(delivery).state == "succeeded"
    assert refunds(api) == [(44700, "EDX-1:all")]


def test_failure_that_stripe_gives_again_is_left_behind_by_another_key(api: FakeStripe) -> None:
    api.will("POST", error(500))
    delivery = ask()
    again(delivery)
    first, second, third = [call.headers["idempotency-key"] for call in api.of("POST")]
    assert (first == second, third) == (True, f"{first}-2")


def test_refund_that_failed_is_made_anew(api: FakeStripe) -> None:
    ask()
    api.refunds[0]["status"] = "failed"
    api.intents["pi_1"]["latest_charge"]["amount_refunded"] = 0
    assert ask().state == "succeeded"
    assert [refund["status"] for refund in api.refunds] == ["failed", "succeeded"]


def test_payment_that_was_refunded_by_somebody_else_is_done(api: FakeStripe) -> None:
    api.intents["pi_1"]["latest_charge"]["amount_refunded"] = 44700
    assert ask().state == "succeeded"
    assert api.of("POST") == []


def test_refund_that_came_first_in_between_is_done(api: FakeStripe) -> None:
    api.will("POST", error(400, code="charge_already_refunded"))
    assert ask().state == "succeeded"


@pytest.mark.parametrize(("refundable", "state"), [(True, "succeeded"), (False, "dead")])
def test_disputed_payment_goes_back_only_where_stripe_allows_it(api: FakeStripe, refundable: bool, state: str) -> None:
    api.disputed(refundable=refundable)
    delivery = ask()
    assert (delivery.state, len(api.refunds)) == (state, int(refundable))
    assert refundable or "disputed" in why(delivery)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"account": "shop"}, 'no key for the account "shop"'),
        ({"payment_id": "pi_other"}, "no charge of this payment"),
        ({"money": Money(amount=44701, currency="USD")}, "More is to go back"),
        ({"money": Money(amount=100, currency="EUR")}, "another currency"),
    ],
)
def test_what_cannot_be_is_a_dead_letter_that_says_why(api: FakeStripe, changes: dict[str, Any], said: str) -> None:
    delivery = ask(**changes)
    assert (delivery.state, api.refunds) == ("dead", [])
    assert said in why(delivery)


def test_wrong_key_is_a_dead_letter_that_names_the_setting(api: FakeStripe, settings: Any) -> None:
    settings.CC_STRIPE_API_KEYS = {"": "sk_test_wrong"}
    delivery = ask()
    assert delivery.state == "dead"
    assert "CC_STRIPE_API_KEYS" in why(delivery)
    assert "sk_test_wrong" not in why(delivery)


def test_refusal_keeps_stripes_code_and_not_its_words(api: FakeStripe) -> None:
    api.will("POST", error(400, code="parameter_invalid_integer", param="amount"))
    delivery = ask()
    assert delivery.state == "dead"
    assert why(delivery).endswith("Stripe answered 400: parameter_invalid_integer (amount).")


def test_wait_that_stripe_asks_for_is_kept(api: FakeStripe) -> None:
    api.will("POST", Answer(status=429, body={"error": {"type": "rate_limit"}}, headers={"Retry-After": "8"}))
    delivery = ask()
    waits = (delivery.next_attempt_at - Attempt.objects.get(delivery=delivery).ended_at).total_seconds()
    assert 5 <= waits <= 11


def test_calls_are_in_the_attempt_without_query_key_or_body(api: FakeStripe, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        delivery = ask()
    calls = Attempt.objects.get(delivery=delivery).calls
    assert [(call["method"], call["path"], call["status"]) for call in calls] == [
        ("GET", "/v1/refunds", 200),
        ("GET", "/v1/payment_intents/pi_1", 200),
        ("POST", "/v1/refunds", 200),
    ]
    assert KEY not in caplog.text
    assert "stripe" not in {record.name for record in caplog.records}


def test_refunds_that_an_event_did_not_carry_are_read(api: FakeStripe) -> None:
    api.refunds += [
        {
            "id": f"re_{number}",
            "payment_intent": "pi_1",
            "amount": 100,
            "currency": "usd",
            "created": 1_772_366_400,
            "status": "pending" if number == 0 else "succeeded",
            "metadata": {"refund_request_id": "EDX-1:2"} if number == 1 else {},
        }
        for number in range(150)
    ]
    with routes_as({charge_refunded.name: [f"{TASKS}.read_refunds"]}):
        charge_refunded.send_robust(sender="test", account="", payment_id="pi_1", charge_id="ch_1")
        run_deliveries()
    told = sent(payment_refunded)
    assert {each["refund_id"] for each in told} == {f"re_{number}" for number in range(1, 150)}
    assert [each["refund_request_id"] for each in told if each["refund_id"] == "re_1"] == ["EDX-1:2"]
    assert {str(each["money"]) for each in told} == {"1.00 USD"}
