"""Signals that an attempt of our own sends through the API: who is believed, and that the trace stays one story."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from commerce_coordinator.core.deliveries import claims
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.signals.tests.plugin_of_a_test import TestPlugin, plugin_of_a_test
from commerce_coordinator.core.telemetry.tests.in_memory import exported, parent_of, span_id_of, trace_id_of

SERVICE = "coordinator-service"
URL = "/api/v1/signals/test_shop.ticket_printed/send/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings: Any) -> Iterator[TestPlugin]:
    settings.CC_API_USERNAME = SERVICE
    with plugin_of_a_test() as shop:
        yield shop


@pytest.fixture
def delivery(shop: TestPlugin) -> Iterator[Delivery]:
    """A delivery that an attempt holds."""
    seat_sold = shop.signal("seat_sold")
    shop.signal("ticket_printed")

    @shop.task
    def print_ticket() -> None:
        pass

    with shop.routed(seat_sold=["print_ticket"]):
        seat_sold.send_robust(sender="test")
        held = claims.claim(Delivery.objects.get().pk)
        assert held is not None
        yield Delivery.objects.get()


def post(delivery: Delivery, *, who: str = SERVICE, client: Client | None = None, **changes: str | None) -> Any:
    headers = {
        "Idempotency-Key": f"{delivery.idempotency_key}:digest:1",
        "X-Coordinator-Delivery": str(delivery.pk),
        "X-Coordinator-Attempt": str(delivery.claim_id),
        **({} if client else as_user(who, staff=True)),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return (client or Client()).post(
        URL,
        json.dumps({"payload": {"row": 7}}),
        content_type="application/json",
        headers={name: value for name, value in headers.items() if value is not None},
    )


def test_sending_belongs_to_the_attempt_that_sent_it(delivery: Delivery) -> None:
    answer = post(delivery)
    assert answer.status_code == 202
    sent = Dispatch.objects.get(pk=answer.json()["dispatch"])
    assert (sent.parent_id, sent.attempt_id, sent.origin) == (delivery.pk, delivery.claim_id, "api")
    assert sent.trace_id == delivery.dispatch.trace_id == answer.json()["trace_id"]
    assert sent.dedupe_key == f"{delivery.idempotency_key}:digest:1"
    again = post(delivery).json()
    assert (again["dispatch"], again["new"]) == (str(sent.pk), False)


CALL = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("trace_id", "span_id", "parent"),
    [(None, CALL, CALL), ("1" * 32, CALL, ""), (None, "0" * 16, ""), (None, "", "")],
    ids=["its own call", "another trace", "no span", "no header"],
)
def test_sending_is_a_step_of_the_call_that_brought_it(
    delivery: Delivery, trace_id: str | None, span_id: str, parent: str
) -> None:
    told = f"00-{trace_id or delivery.dispatch.trace_id}-{span_id}-01" if span_id else None
    with exported() as found:
        assert post(delivery, traceparent=told).status_code == 202
    step = found.named("api")
    assert (trace_id_of(step), parent_of(step)) == (delivery.dispatch.trace_id, parent)
    assert parent_of(found.named("send test_shop.ticket_printed")) == span_id_of(step)


def test_others_are_not_believed(delivery: Delivery) -> None:
    answer = post(delivery, who="till")
    assert answer.status_code == 403
    assert "CC_API_USERNAME" in answer.json()["error"]["message"]
    assert Dispatch.objects.filter(parent=delivery).count() == 0


def test_session_of_the_same_name_is_not_believed(delivery: Delivery) -> None:
    browser = Client()
    browser.force_login(get_user_model().objects.create_user(SERVICE, is_staff=True))
    assert post(delivery, client=browser).status_code == 403


def test_attempt_that_does_not_hold_the_delivery_is_refused(delivery: Delivery) -> None:
    """Whoever was paused past his lease; the next attempt sends it."""
    for changes in ({"X_Coordinator_Attempt": str(uuid.uuid4())}, {"X_Coordinator_Delivery": str(uuid.uuid4())}):
        answer = post(delivery, **changes)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "attempt_is_over")
    Delivery.objects.update(state=Delivery.State.SUCCEEDED)
    assert post(delivery).status_code == 409
    assert Dispatch.objects.filter(parent=delivery).count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"X_Coordinator_Attempt": None},
        {"X_Coordinator_Delivery": None},
        {"X_Coordinator_Attempt": "no id"},
        {"Idempotency_Key": None},
        {"Idempotency_Key": "another-delivery:digest:1"},
    ],
    ids=str,
)
def test_half_a_link_is_refused(delivery: Delivery, changes: dict[str, Any]) -> None:
    assert post(delivery, **changes).status_code == 400
    assert Dispatch.objects.filter(parent=delivery).count() == 0


def test_link_costs_one_statement(delivery: Delivery, django_assert_max_num_queries: Any) -> None:
    post(delivery)
    key = f"{delivery.idempotency_key}:other:1"
    with django_assert_max_num_queries(6):  # the account; the claim; BEGIN, dispatch, end of it
        assert post(delivery, Idempotency_Key=key).json()["new"] is True
