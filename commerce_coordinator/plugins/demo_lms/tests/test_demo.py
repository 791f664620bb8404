"""The demo's pages, as the source document prints their answers."""

import base64
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest import LogCaptureFixture, MonkeyPatch

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.testing import assert_sent, filters_as, routes_as
from commerce_coordinator.plugins.demo_lms import receivers, signals, tasks
from commerce_coordinator.plugins.demo_lms.filters import SampleDataRequested

from .conftest import COURSE

pytestmark = pytest.mark.django_db

PLUGIN = "commerce_coordinator.plugins.demo_lms"


def named(answer: dict[str, object]) -> list[str]:
    """The functions' names, if each key is what str() makes of a function."""
    found = [re.fullmatch(r"<function (\w+) at 0x[0-9a-f]+>", key) for key in answer]
    assert all(found), list(answer)
    return [match[1] for match in found if match]


def test_test_page_shows_one_receiver_well_and_one_with_traceback(client: Client) -> None:
    response = client.get("/demo_lms/test/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    answer = response.json()
    assert list(answer) == [str(receivers.test_receiver), str(receivers.test_receiver_exception)]
    assert named(answer) == ["test_receiver", "test_receiver_exception"]
    well, lines = answer.values()
    assert well == ""
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "RuntimeError: This receiver fails on purpose."
    assert not any("\n" in line for line in lines)


def test_both_test_receivers_log_the_sender_argument(client: Client, caplog: LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=receivers.__name__)
    client.get("/demo_lms/test/")
    told = [record for record in caplog.records if record.name == receivers.__name__]
    assert [record.getMessage() for record in told] == [
        "test_receiver was called with this sender argument.",
        "test_receiver_exception was called with this sender argument.",
    ]
    assert [vars(record)["sender"] for record in told] == ["Something", "Something"]


def test_celery_page_starts_one_task(client: Client, published: list) -> None:
    answer = client.get("/demo_lms/test_celery_signal/").json()
    assert answer == {str(receivers.test_celery_signal_task): ""}
    assert named(answer) == ["test_celery_signal_task"]
    assert published == [("log_test_signal", {})]


def test_purchase_page_answers_three_receivers_that_went_well(client: Client, published: list) -> None:
    answer = client.get("/demo_lms/demo_purchase_complete/").json()
    assert named(answer) == [
        "demo_purchase_complete_order_history",
        "demo_purchase_complete_send_confirmation_email",
        "demo_purchase_complete_enroll_in_course",
    ]
    assert set(answer.values()) == {""}


def test_purchase_starts_one_task_per_product_through_a_second_signal(client: Client, published: list) -> None:
    client.get("/demo_lms/demo_purchase_complete/")
    order = {"order_number": "EDX-12345", "user_id": 1313}
    products = ["SKU123", "SKU456", "SKU789"]
    assert published == [
        ("note_order_history", order),
        ("send_confirmation_email", order),
        *[("enroll_in_course", {**order, "product": product}) for product in products],
    ]
    assert_sent(signals.demo_purchase_complete, times=1, products=products, **order)
    for product in products:
        assert_sent(signals.demo_enroll_in_course, times=1, product=product, **order)


def test_second_signals_hang_below_the_receiver_that_sent_them(client: Client, published: list) -> None:
    client.get("/demo_lms/demo_purchase_complete/")
    dispatches = Dispatch.objects.filter(signal=f"{PLUGIN}.signals.demo_enroll_in_course")
    parents = {dispatch.parent.receiver for dispatch in dispatches if dispatch.parent}
    assert parents == {f"{PLUGIN}.receivers.demo_purchase_complete_enroll_in_course"}
    assert len({dispatch.trace_id for dispatch in Dispatch.objects.all()}) == 1


@pytest.mark.skipif(not settings.CELERY_BROKER_URL.startswith("embedded:"), reason="another broker is configured")
def test_messages_lie_in_the_embedded_brokers_folder(client: Client) -> None:
    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]) / "queue"
    before = set(queue.glob("*")) if queue.exists() else set()
    client.get("/demo_lms/test_celery_signal/")
    (file,) = set(queue.glob("*")) - before
    message = json.loads(file.read_text())
    file.unlink()
    assert message["headers"]["task"] == f"{PLUGIN}.tasks.log_test_signal"
    assert json.loads(base64.b64decode(message["body"]))[:2] == [[], {}]


@pytest.mark.parametrize("page", ["test", "test_celery_signal", "demo_purchase_complete"])
def test_verbose_form_tells_of_each_delivery(client: Client, published: list, page: str) -> None:
    answer = client.get(f"/demo_lms/{page}/", {"verbose": "1"}).json()
    dispatch = Dispatch.objects.earliest("id")
    deliveries = {delivery.receiver: delivery for delivery in dispatch.deliveries.all()}
    assert list(answer) == settings.CC_SIGNALS[dispatch.signal]
    for receiver, shown in answer.items():
        failed = receiver.endswith("exception")
        assert deliveries[receiver].state == (Delivery.State.DEAD if failed else Delivery.State.SUCCEEDED)
        error = shown.pop("error")
        assert error[-1].startswith("RuntimeError: ") if failed else error is None
        assert shown == {
            "response": None,
            "delivery": str(deliveries[receiver].pk),
            "trace_id": dispatch.trace_id,
        }


def test_a_receiver_that_cannot_reach_the_broker_is_an_answer_not_a_500(
    client: Client, monkeypatch: MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError("No broker here.")

    monkeypatch.setattr(tasks.log_test_signal, "apply_async", refuse)
    response = client.get("/demo_lms/test_celery_signal/")
    assert response.status_code == 200
    assert response.json()[str(receivers.test_celery_signal_task)][-1] == "ConnectionRefusedError: No broker here."


def test_pages_follow_the_map(client: Client) -> None:
    with routes_as({f"{PLUGIN}.signals.test_signal": [f"{PLUGIN}.receivers.test_receiver"]}):
        assert client.get("/demo_lms/test/").json() == {str(receivers.test_receiver): ""}


def test_sample_data_is_what_the_pipelines_steps_make_of_it(client: Client) -> None:
    response = client.get("/demo_lms/demo_get_sample_data/")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    answer = response.json()
    assert answer["order"]["order_number"] == answer["order_number"] == "EDX-12345"
    assert (
        [line["product"] for line in answer["lines"]] == answer["order"]["products"] == ["SKU123", "SKU456", "SKU789"]
    )
    assert answer["total"] == {"amount": sum(line["price"]["amount"] for line in answer["lines"]), "currency": "USD"}


def test_sample_data_follows_the_configured_pipeline(client: Client) -> None:
    with filters_as({SampleDataRequested.filter_type: [f"{PLUGIN}.steps.SampleOrder"]}):
        assert set(client.get("/demo_lms/demo_get_sample_data/").json()) == {"order_number", "order"}


@pytest.mark.parametrize("page", ["test", "test_celery_signal", "demo_purchase_complete", "demo_get_sample_data"])
def test_demo_pages_are_for_get_only(client: Client, page: str) -> None:
    assert client.post(f"/demo_lms/{page}/").status_code == 405
    assert not Dispatch.objects.exists()


def test_tasks_say_what_they_would_do(caplog: LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=tasks.__name__)
    order: dict[str, Any] = {"order_number": "EDX-12345", "user_id": 1313}
    tasks.log_test_signal()
    tasks.note_order_history(**order)
    tasks.send_confirmation_email(**order)
    tasks.enroll_in_course(product=COURSE, **order)
    assert len(caplog.records) == 4
    assert vars(caplog.records[-1])["product"] == COURSE
