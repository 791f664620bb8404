from typing import Any

import pytest
import requests
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch

from .. import storefront

BUYER = {"username": "ann", "lms_user_id": "84213577", "order_number": "EDX-1"}


def test_storefront_shows_with_what_it_was_entered(client: Client) -> None:
    answer = client.get("/demo_lms/storefront/?sku=A&sku=B&bundle=")
    assert answer.json() == {"storefront": "demo", "query": {"sku": ["A", "B"], "bundle": [""]}}


@pytest.mark.parametrize("name", ["CC_STOREFRONT_URL", "CC_ORDER_DETAILS_URL"])
def test_settings_of_a_laptop_lead_here(client: Client, settings: Any, name: str) -> None:
    url = getattr(settings, name).format(order_number="EDX-1")
    assert url.startswith("http://localhost:")
    assert client.get("/" + url.split("/", 3)[3]).status_code == 200


@pytest.mark.needs_plugins("stripe")
@pytest.mark.django_db(transaction=True)
def test_what_is_bought_comes_in_as_a_signed_event(live_server: Any, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    settings.CC_STRIPE_SECRETS = {"": ["whsec_of_this_test"]}
    form = {**BUYER, "course_run_key": ["course-v1:X+A+1", "course-v1:X+B+1"]}
    answer = requests.post(f"{live_server.url}/demo_lms/storefront/", data=form, timeout=20)
    assert (answer.status_code, answer.json()["order_number"]) == (201, "EDX-1")
    captured = Dispatch.objects.get(subject="EDX-1", event__event_type="payment_intent.succeeded")
    assert captured.person == "84213577"
    assert [line["course_key"] for line in captured.payload["lines"]] == form["course_run_key"]


@pytest.mark.parametrize("change", [{"username": ""}, {"lms_user_id": ""}, {"lms_user_id": "x"}, {"lms_user_id": "²"}])
def test_buyer_must_be_told(client: Client, change: dict[str, str]) -> None:
    answer = client.post("/demo_lms/storefront/", {**BUYER, **change})
    assert answer.status_code == 400
    assert "lms_user_id" in answer.json()["error"]


def test_till_without_a_provider_says_so(client: Client, settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(storefront, "WEBHOOK", "http://127.0.0.1:1/")
    assert client.post("/demo_lms/storefront/", BUYER).status_code == 503
    settings.CC_STRIPE_SECRETS = {}
    assert "CC_STRIPE_SECRETS" in client.post("/demo_lms/storefront/", BUYER).json()["error"]
