"""The way in from Stripe: who is believed, what is kept, and that one payment is told of once."""

import json
from typing import Any

import pytest
from django.test import Client

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.testing import assert_sent
from commerce_coordinator.payloads.money import Money

from ..signals import payment_captured
from .stripe_events import NOW, SECRET, as_bytes, event, mac, payment_intent, post, signature

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_signed_payment_is_kept_and_sent_in_one() -> None:
    answer = post(event())
    row = InboxEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"status": "sent", "id": str(row.pk)})
    assert (row.provider, row.account, row.event_id, row.event_type) == (
        "stripe",
        "",
        "evt_1",
        "payment_intent.succeeded",
    )
    dispatch = Dispatch.objects.get()
    assert (dispatch.signal, dispatch.event_id, dispatch.trace_id) == (payment_captured.name, row.pk, row.trace_id)
    assert (dispatch.subject, dispatch.person) == ("EDX-1", "1313")
    assert Delivery.objects.get().state == "succeeded"


def test_webhook_is_neither_redirected_nor_refused_for_its_host(settings: Any, client: Client) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["coordinator.example.com"]
    assert client.get("/admin/", headers={"host": "coordinator.example.com"}).status_code == 301
    assert post(event()).status_code == 200


def test_bytes_are_kept_as_they_came() -> None:
    body = json.dumps(event(), indent=3, ensure_ascii=False).encode()
    post(body)
    assert bytes(InboxEvent.objects.get().raw_body or b"") == body


def test_signature_covers_bytes_that_are_not_ascii() -> None:
    body = json.dumps(event(payment_intent(description="Zoë 学ぶ 🎓")), ensure_ascii=False).encode()
    assert post(body).status_code == 200
    assert post(body.replace("ë".encode(), b"e")).json()["status"] == "duplicate"
    assert post(body.replace("ë".encode(), b"e"), header=signature(body)).status_code == 400


def test_one_changed_byte_spoils_the_signature() -> None:
    body = as_bytes(event())
    assert post(body.replace(b"44700", b"14700"), header=signature(body)).status_code == 400
    assert post(body + b" ", header=signature(body)).status_code == 400
    assert not InboxEvent.objects.exists()


def test_each_account_has_its_own_secrets() -> None:
    assert post(event(), account="shop", secret="whsec_shop").status_code == 200
    assert post(event(), account="shop").status_code == 400
    assert post(event(), secret="whsec_shop").status_code == 400
    row = InboxEvent.objects.get()
    assert (row.account, Dispatch.objects.get().payload["account"]) == ("shop", "shop")


def test_same_ids_at_two_accounts_are_two_payments() -> None:
    post(event())
    post(event(), account="shop", secret="whsec_shop")
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (2, 2)


def test_both_secrets_are_believed_while_one_is_rolled(settings) -> None:
    settings.CC_STRIPE_SECRETS = {"": ["whsec_new", SECRET]}
    assert post(event(id="evt_by_the_old")).status_code == 200
    assert post(event(id="evt_by_the_new"), secret="whsec_new").status_code == 200
    assert post(event(id="evt_by_none"), secret="whsec_other").status_code == 400
    assert set(InboxEvent.objects.values_list("event_id", flat=True)) == {"evt_by_the_old", "evt_by_the_new"}


def test_any_of_several_v1_signatures_is_enough() -> None:
    # So Stripe signs while a secret is rolled: once by each.
    body = as_bytes(event())
    wrong, right = mac(body, secret="whsec_new"), mac(body)
    assert post(body, header=f"t={NOW},v1={wrong},v1={right},v0={wrong}").status_code == 200
    assert post(body, header=f"t={NOW},v1={wrong},v0={right}").status_code == 400


def test_each_redelivery_is_signed_anew_and_adds_nothing() -> None:
    body = as_bytes(event())
    post(body)
    again = post(body, header=signature(body, at=NOW - 200))
    assert (again.status_code, again.json()) == (200, {"status": "duplicate"})
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (1, 1)


def test_signature_is_believed_for_five_minutes() -> None:
    body = as_bytes(event())
    assert post(body, header=signature(body, at=NOW - 300)).status_code == 200
    assert post(body, header=signature(body, at=NOW - 301)).status_code == 400


def test_tolerance_is_the_operators(settings) -> None:
    settings.CC_STRIPE_TOLERANCE = 10
    body = as_bytes(event())
    assert post(body, header=signature(body, at=NOW - 11)).status_code == 400
    assert post(body, header=signature(body, at=NOW - 10)).status_code == 200


def test_two_events_of_one_payment_give_one_dispatch() -> None:
    assert post(event()).json()["status"] == "sent"
    assert post(event(id="evt_2")).json()["status"] == "sent"
    assert InboxEvent.objects.filter(state="sent").count() == 2
    assert_sent(payment_captured, times=1, payment_id="pi_1")


def test_event_ids_that_differ_in_case_are_two_events() -> None:
    post(event(id="evt_a"))
    post(event(payment_intent(id="pi_2"), id="evt_A"))
    assert (InboxEvent.objects.count(), Dispatch.objects.count()) == (2, 2)


@pytest.mark.parametrize("event_id", ["e", "evt_" + "x" * 251], ids=["one character", "255 characters"])
def test_event_id_of_any_allowed_length_is_kept_whole(event_id: str) -> None:
    assert post(event(id=event_id)).status_code == 200
    assert InboxEvent.objects.get().event_id == event_id


def test_body_of_exactly_one_mebibyte_is_taken() -> None:
    body = as_bytes(event())
    assert post(body + b" " * (1024 * 1024 - len(body))).status_code == 200
    assert len(InboxEvent.objects.get().raw_body or b"") == 1024 * 1024


def test_payment_is_told_as_stripe_received_it() -> None:
    post(event())
    assert_sent(
        payment_captured,
        times=1,
        provider="stripe",
        account="",
        payment_id="pi_1",
        order_number="EDX-1",
        money=Money(amount=44700, currency="USD"),
        lms_user_id=1313,
        username="ann-the-learner",
        email="ann@example.com",
    )
    lines = Dispatch.objects.get().payload["lines"]
    assert [(line["line_number"], line["course_key"], line["mode"]) for line in lines] == [
        (1, "course-v1:X+A+1", "verified"),
        (2, "course-v1:X+B+1", "audit"),
        (3, "course-v1:X+C+1", "no-id-professional"),
    ]


def test_a_burst_is_not_throttled(settings) -> None:
    settings.CC_THROTTLE_USER = settings.CC_THROTTLE_ANONYMOUS = "1/min"
    statuses = [
        post(event(payment_intent(id=f"pi_{number}"), id=f"evt_{number}"), REMOTE_ADDR="192.0.2.7").status_code
        for number in range(300)
    ]
    assert statuses == [200] * 300
    assert Dispatch.objects.count() == 300
