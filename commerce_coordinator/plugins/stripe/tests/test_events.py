"""From Stripe's objects to payments: what is ours, what is none of our business, and what no order can be made of."""

import contextlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import hypothesis
import pytest
from django.db import transaction
from hypothesis import strategies as st

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.exceptions import EventIgnored, EventNotUnderstood, InvalidPayload
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event
from commerce_coordinator.core.inbox.webhooks import ProviderEvent
from commerce_coordinator.core.testing import assert_not_sent, assert_sent, sent
from commerce_coordinator.payloads.money import Money

from ..events.payments import payment_captured_from_payment_intent
from ..signals import payment_captured
from ..webhooks import StripeWebhookView
from .stripe_events import NOW, PRIVATE, event, event_with_metadata, payment_intent, post

database = [pytest.mark.django_db, pytest.mark.database]


def in_database(function: Any) -> Any:
    for mark in database:
        function = mark(function)
    return function


# --- None of our business ---


@in_database
@pytest.mark.parametrize(
    "other",
    [
        event(type="charge.succeeded"),
        event(type="payment_intent.created"),
        event(type="payment_intent.processing"),
        event(type="v2.never.heard.of"),
        event(type="t" * 300),
        event(type="payment_intent.succeeded "),
        event_with_metadata(source_system="donations"),
        event_with_metadata(source_system="Commerce_Coordinator"),
        event_with_metadata(source_system=...),
        event_with_metadata(source_system=None),
        event_with_metadata(source_system=["commerce_coordinator"]),
        event(payment_intent() | {"metadata": {}}),
        event(payment_intent() | {"metadata": None}),
        event(payment_intent() | {"metadata": "commerce_coordinator"}),
        event(payment_intent() | {"metadata": ["source_system"]}),
        event({"id": "pi_1", "object": "payment_intent", "amount_received": 100, "currency": "usd"}),
    ],
    ids=lambda each: str(each)[-60:],
)
def test_what_is_none_of_our_business_is_kept_as_ignored(other: dict[str, Any]) -> None:
    answer = post(other)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    row = InboxEvent.objects.get()
    assert (row.state, bool(row.reason)) == ("ignored", True)
    assert_not_sent(payment_captured)
    assert post(other).json() == {"status": "duplicate"}


@in_database
def test_whose_payments_are_ours_is_the_operators_to_say(settings) -> None:
    settings.CC_SOURCE_SYSTEM = "campus_shop"
    post(event(id="evt_theirs"))
    post(event(payment_intent(metadata={"source_system": "campus_shop"}), id="evt_ours"))
    states = dict(InboxEvent.objects.values_list("event_id", "state"))
    assert states == {"evt_theirs": "ignored", "evt_ours": "sent"}


# --- Ours, but no order can be made of it ---

TEXT_FIELDS = ("order_number", "lms_user_id", "username", "email", "course_keys", "modes")
NO_TEXTS: dict[str, Any] = {
    "missing": ...,
    "null": None,
    "empty": "",
    "blank": " \t\n",
    "a number": 1313,
    "true": True,
    "a list": ["EDX-1"],
    "an object": {"value": "EDX-1"},
}

#: What is wrong: (event, field that the reason names, value that it must not tell).
NOT_UNDERSTOOD: dict[str, tuple[dict[str, Any], str, str]] = {
    **{
        f"{field} is {what}": (event_with_metadata(**{field: value}), field, "1313")
        for field in TEXT_FIELDS
        for what, value in NO_TEXTS.items()
    },
    "order number of two words": (event_with_metadata(order_number="EDX 77"), "order_number", "77"),
    "order number of 129 characters": (event_with_metadata(order_number="Z" * 129), "order_number", "ZZ"),
    "user id with a sign": (event_with_metadata(lms_user_id="-77"), "lms_user_id", "77"),
    "user id with a point": (event_with_metadata(lms_user_id="77.0"), "lms_user_id", "77"),
    "user id with a letter": (event_with_metadata(lms_user_id="77a"), "lms_user_id", "77"),
    "user id in other digits": (event_with_metadata(lms_user_id="\u0667\u0667"), "lms_user_id", "\u0667"),
    "user id with an underscore": (event_with_metadata(lms_user_id="7_7"), "lms_user_id", "7_7"),
    "user id of 400 digits": (event_with_metadata(lms_user_id="7" * 400), "lms_user_id", "77"),
    "fewer modes than courses": (event_with_metadata(modes="zzz,zzz"), "modes", "zzz"),
    "more modes than courses": (event_with_metadata(modes="zzz,zzz,zzz,zzz"), "modes", "zzz"),
    "one mode for all": (event_with_metadata(modes="zzz"), "course_keys", "zzz"),
    "a gap among the courses": (event_with_metadata(course_keys="zz,,zz"), "course_key", "zz"),
    "a comma at the end": (event_with_metadata(course_keys="zz,zz,"), "course_key", "zz"),
    "a course key of two words": (event_with_metadata(course_keys="zz,z z,zz"), "course_key", "zz"),
    "a course key of 256 characters": (event_with_metadata(course_keys=f"a,{'z' * 256},b"), "course_key", "zz"),
    "a mode in capitals": (event_with_metadata(modes="ZZ,audit,audit"), "mode", "ZZ"),
    "a mode of 101 characters": (event_with_metadata(modes=f"audit,audit,{'z' * 101}"), "mode", "zz"),
    "a mode that tries markup": (event_with_metadata(modes="audit,audit,<zz>"), "mode", "zz"),
    **{
        f"amount is {amount!r:.20}": (event(payment_intent(amount_received=amount)), "amount_received", "77")
        for amount in (True, 77.0, 77.5, "77", -77, None, ..., [77], {"value": 77}, float("nan"), float("inf"))
    },
    **{
        f"currency is {currency!r}": (event(payment_intent(currency=currency)), "currency", str(currency) + "!")
        for currency in ("", " ", "us", "usdd", "u$d", "1 2", "éur", 840, None, ..., ["usd"], True, "\ud83dusd")
    },
    "an amount that is no whole number of krónur": (
        event(payment_intent(amount_received=7777, currency="isk")),
        "amount_received",
        "7777",
    ),
    "no payment id": (event(payment_intent(id=...)), "data.object.id", "pi_"),
    "a payment id that is empty": (event(payment_intent(id="")), "data.object.id", "pi_"),
    "a payment id that is a number": (event(payment_intent(id=77)), "data.object.id", "77"),
    **{
        f"time is {created!r:.20}": (event(created=created), "created", "77")
        for created in (..., None, "77", True, 77.0, [77], 77 * 10**15, -77 * 10**15, 10**400, float("nan"))
    },
    "no data": (event(data=...), "data.object", "pi_"),
    "data that is null": (event(data=None), "data.object", "pi_"),
    "data that is a list": (event(data=[payment_intent()]), "data.object", "pi_"),
    "data without an object": (event(data={}), "data.object", "pi_"),
    "an object that is a text": (event(data={"object": "pi_1"}), "data.object", "pi_"),
    "an object that is a list": (event(data={"object": [payment_intent()]}), "data.object", "pi_"),
    "a user name that is no text": (event_with_metadata(username="zz\ud83d"), "username", "zz"),
    "an order number that is no text": (event_with_metadata(order_number="zz\ud83d"), "order_number", "zz"),
    "a payment id that is no text": (event(payment_intent(id="pi_\ud83d")), "id", "pi_"),
}


@in_database
@pytest.mark.parametrize(("bad", "field", "value"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_what_no_order_can_be_made_of_is_kept_with_a_reason(bad: Any, field: str, value: str, caplog) -> None:
    answer = post(bad)
    assert (answer.status_code, answer.json()["status"]) == (200, "failed")
    row = InboxEvent.objects.get()
    assert row.state == "failed"
    assert field in row.reason
    assert not [each for each in (value, *PRIVATE) if each in row.reason]
    assert not [each for each in PRIVATE for line in caplog.records if each in str(line.__dict__)]
    assert_not_sent(payment_captured)
    # It can be replayed; nothing was mended, so it fails as before.
    assert (replay_event(row).state, row.reason) == ("failed", InboxEvent.objects.get().reason)


@in_database
def test_failed_payment_is_sent_once_after_a_fix(monkeypatch) -> None:
    post(event_with_metadata(email=...))
    _, build = StripeWebhookView.signals["payment_intent.succeeded"]

    def mended(event: ProviderEvent, account: str) -> Any:
        event.data["data"]["object"]["metadata"]["email"] = "found@example.com"
        return build(event, account)

    monkeypatch.setattr(StripeWebhookView, "signals", {"payment_intent.succeeded": (payment_captured, mended)})
    row = replay_event(InboxEvent.objects.get())
    assert (row.state, row.reason) == ("sent", "")
    assert_sent(payment_captured, times=1, email="found@example.com", order_number="EDX-1")
    assert Dispatch.objects.get().event_id == row.pk


@in_database
def test_later_event_of_a_failed_payment_is_not_held_up_by_it() -> None:
    post(event_with_metadata(email=...))
    assert post(event(id="evt_2")).json()["status"] == "sent"
    assert_sent(payment_captured, times=1)


# --- Money, as Stripe counts it ---


@in_database
@pytest.mark.parametrize(
    ("currency", "counted", "amount", "shown"),
    [
        ("usd", 14900, 14900, "149.00"),
        ("USD", 14900, 14900, "149.00"),
        ("Eur", 1, 1, "0.01"),
        ("eur", 0, 0, "0.00"),
        ("jpy", 14900, 14900, "14900"),
        ("krw", 14900, 14900, "14900"),
        ("kwd", 14900, 14900, "14.900"),
        ("isk", 14900, 149, "149"),
        ("ugx", 1490000, 14900, "14900"),
        ("mga", 14900, 1490000, "14900.00"),
        ("huf", 14900, 14900, "149.00"),
        ("twd", 14900, 14900, "149.00"),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(currency: str, counted: int, amount: int, shown: str) -> None:
    post(event(payment_intent(amount_received=counted, amount=1, currency=currency)))
    [payment] = sent(payment_captured)
    assert payment["money"] == Money(amount=amount, currency=currency.upper())
    assert payment["money"].as_decimal() == Decimal(shown)
    assert str(payment["money"]) == f"{shown} {currency.upper()}"


@in_database
def test_spaces_around_values_are_no_part_of_them() -> None:
    post(event_with_metadata(order_number=" EDX-1 ", lms_user_id=" 7 ", course_keys=" a , b ", modes="audit, audit"))
    [payment] = sent(payment_captured)
    assert (payment["order_number"], payment["lms_user_id"]) == ("EDX-1", 7)
    assert [line.course_key for line in payment["lines"]] == ["a", "b"]


# --- What was bought, as far as metadata holds it ---


@in_database
def test_long_order_names_no_courses_and_is_looked_up() -> None:
    post(event_with_metadata(course_keys=..., modes=...))
    assert_sent(payment_captured, times=1, order_number="EDX-1", lines=())


@in_database
def test_key_that_is_a_uuid_is_an_entitlements_course() -> None:
    course = "B8A9D0C1-2f3e-4d5c-8b7a-6f5e4d3c2b1a"
    post(event_with_metadata(course_keys=f"course-v1:X+A+1,{course}", modes="audit,verified"))
    [payment] = sent(payment_captured)
    assert [(line.line_number, line.course_key, line.course_uuid, line.mode) for line in payment["lines"]] == [
        (1, "course-v1:X+A+1", "", "audit"),
        (2, "", course.lower(), "verified"),
    ]


@in_database
@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"course_keys": "zz,,zz"}, "metadata.course_keys has nothing at place 2: a comma too many."),
        ({"course_keys": "zz,zz,"}, "metadata.course_keys has nothing at place 3: a comma too many."),
        ({"modes": ",audit,audit"}, "metadata.modes has nothing at place 1: a comma too many."),
        ({"modes": ...}, "metadata.modes is missing or empty."),
        ({"course_keys": ...}, "metadata.course_keys is missing or empty."),
    ],
)
def test_lines_that_cannot_be_read_are_named_by_the_metadatas_field(metadata: dict[str, Any], reason: str) -> None:
    post(event_with_metadata(**metadata))
    row = InboxEvent.objects.get()
    assert (row.state, row.reason) == ("failed", reason)


# --- Whatever comes ---

#: Half of a pair: JSON can say it (RFC 8259, 8.2), no database can store it.
LONE_SURROGATE = "\ud83d"

#: The longest number that Python reads, 4300 digits; in a currency that Stripe counts coarser than ISO it grows by two.
LONGEST_NUMBER = 10**4299

texts = st.text(st.characters(exclude_categories=()), max_size=30)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**17, max_value=10**4290)
    | st.floats()
    | texts
    | st.sampled_from(["commerce_coordinator", "usd", "EDX-1", "1313", ",", "a,b", "audit,audit", LONE_SURROGATE])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def _changed(values: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The values, with some of them replaced by anything or left out."""
    usual = {name: st.one_of(st.just(value), st.just(value), anything, st.just(...)) for name, value in values.items()}
    return st.fixed_dictionaries(usual).map(
        lambda found: {name: value for name, value in found.items() if value is not ...}
    )


metadata = _changed(payment_intent()["metadata"])
currencies = st.sampled_from(["usd", "jpy", "kwd", "isk", "ugx", "mga", "clf"])
intents = st.one_of(
    anything,
    st.dictionaries(texts, anything, max_size=5),
    st.tuples(_changed(payment_intent()), metadata | anything, currencies | anything).map(
        lambda found: {**found[0], "metadata": found[1], "currency": found[2]}
    ),
    st.tuples(metadata, currencies, st.integers() | st.integers(10**4290, 10**4299)).map(
        lambda found: {**payment_intent(currency=found[1], amount_received=found[2]), "metadata": found[0]}
    ),
)
times = st.just(NOW) | anything

#: Few examples, and no clock: a busy machine is no failure.
gently = hypothesis.settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)


@contextlib.contextmanager
def fresh_tables() -> Iterator[None]:
    """Hypothesis tries all its examples in one test: each undoes what it wrote."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


@gently
@hypothesis.given(intents, times)
@hypothesis.example(payment_intent(amount_received=LONGEST_NUMBER, currency="mga"), NOW)
@hypothesis.example(payment_intent(amount_received=LONGEST_NUMBER), NOW)
@hypothesis.example(payment_intent(id=LONE_SURROGATE), NOW)
@hypothesis.example(payment_intent(metadata={"username": LONE_SURROGATE}), NOW)
def test_builder_returns_values_or_says_why_not(intent: Any, created: Any) -> None:
    whole = json.loads(json.dumps({"created": created, "data": {"object": intent}}))
    told = ProviderEvent(event_id="evt_1", event_type="payment_intent.succeeded", data=whole)
    try:
        values = payment_captured_from_payment_intent(told, "")
    except (EventIgnored, EventNotUnderstood):
        return
    try:
        sending = payment_captured.prepare(StripeWebhookView, values)
    except InvalidPayload:
        return
    # What passes can be stored, by any database.
    json.dumps(sending.payload, ensure_ascii=False).encode()


@in_database
@hypothesis.settings(gently, max_examples=100)
@hypothesis.given(intents, times)
@hypothesis.example(payment_intent(amount_received=LONGEST_NUMBER, currency="mga"), NOW)
@hypothesis.example(payment_intent(amount_received=LONGEST_NUMBER), NOW)
@hypothesis.example(payment_intent(id=LONE_SURROGATE), NOW)
@hypothesis.example(payment_intent(metadata={"username": LONE_SURROGATE}), NOW)
def test_every_signed_object_is_answered_200(intent: Any, created: Any) -> None:
    body = json.dumps(event(created=created, data={"object": intent})).encode()
    with fresh_tables():
        answer = post(body)
        assert answer.status_code == 200
        kept = InboxEvent.objects.get()
        assert (kept.state, bytes(kept.raw_body or b"")) == (answer.json()["status"], body)
        assert Dispatch.objects.count() == (kept.state == "sent")


@in_database
@hypothesis.settings(gently, max_examples=100)
@hypothesis.given(st.dictionaries(st.sampled_from(["id", "type", "data", "created"]) | texts, anything, max_size=6))
@hypothesis.example(event(id=LONE_SURROGATE))
@hypothesis.example(event(type=LONE_SURROGATE))
@hypothesis.example({LONE_SURROGATE: LONE_SURROGATE, "id": "evt_1", "type": "unknown"})
def test_every_signed_body_is_answered_200_or_400(whole: dict[str, Any]) -> None:
    with fresh_tables():
        answer = post(json.dumps(whole).encode())
        assert answer.status_code in (200, 400)
        assert InboxEvent.objects.count() == (answer.status_code == 200)


@in_database
@hypothesis.settings(gently, max_examples=100)
@hypothesis.given(st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_every_signed_run_of_bytes_is_answered_200_or_400(body: bytes) -> None:
    with fresh_tables():
        assert post(body).status_code in (200, 400)


# --- Live mode and test mode ---


@in_database
@pytest.mark.parametrize(
    ("expected", "livemode", "state"),
    [
        (True, True, "sent"),
        (True, False, "ignored"),
        (True, None, "ignored"),
        (False, True, "ignored"),
        (False, False, "sent"),
        (None, True, "sent"),
        (None, False, "sent"),
    ],
)
def test_test_event_at_a_production_endpoint_pays_for_nothing(settings, expected, livemode, state: str) -> None:
    settings.CC_STRIPE_LIVEMODE = expected
    answer = post(event(livemode=livemode))
    assert (answer.status_code, answer.json()["status"]) == (200, state)
