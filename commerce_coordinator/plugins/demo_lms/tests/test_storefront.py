from typing import Any

import pytest
import requests
from django.test import Client

from commerce_coordinator.core import filters
from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.payloads.money import Money

from ..models import StorefrontOrder
from ..providers import paypal, stripe

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


def test_order_number_must_be_one(client: Client) -> None:
    answer = client.post("/demo_lms/storefront/", {**BUYER, "order_number": "EDX 1"})
    assert answer.status_code == 400
    assert "order_number" in answer.json()["error"]


def test_provider_must_be_one_of_two(client: Client) -> None:
    answer = client.post("/demo_lms/storefront/", {**BUYER, "provider": "cash"})
    assert answer.status_code == 400
    assert "stripe, paypal" in answer.json()["error"]


@pytest.mark.needs_plugins("paypal")
@pytest.mark.django_db(transaction=True)
def test_what_is_approved_comes_in_as_an_event_that_paypal_vouches_for(
    live_server: Any, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    account = {**settings.CC_PAYPAL[""], "api_url": f"{live_server.url}/demo_lms/paypal"}
    settings.CC_PAYPAL = {"": account}
    form = {**BUYER, "course_run_key": ["course-v1:X+A+1", "course-v1:X+B+1"], "provider": "paypal"}
    answer = requests.post(f"{live_server.url}/demo_lms/storefront/", data=form, timeout=20)
    assert (answer.status_code, answer.json()["webhook"]) == (201, 200), answer.text
    approved = Dispatch.objects.get(subject="EDX-1", event__event_type="CHECKOUT.ORDER.APPROVED")
    assert approved.payload["money"] == {"amount": 29800, "currency": "USD"}


@pytest.mark.django_db
@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_till_whose_webhook_is_away_says_so(client: Client, monkeypatch: Any, provider: str) -> None:
    for each in (stripe, paypal):
        monkeypatch.setattr(each, "WEBHOOK", "http://127.0.0.1:1/")
    answer = client.post("/demo_lms/storefront/", {**BUYER, "provider": provider})
    assert (answer.status_code, "did not answer" in answer.json()["error"]) == (503, True)


@pytest.mark.django_db
@pytest.mark.parametrize(("provider", "name"), [("stripe", "CC_STRIPE_SECRETS"), ("paypal", "CC_PAYPAL")])
def test_till_without_an_account_says_so(client: Client, settings: Any, provider: str, name: str) -> None:
    setattr(settings, name, {})
    answer = client.post("/demo_lms/storefront/", {**BUYER, "provider": provider})
    assert (answer.status_code, name in answer.json()["error"]) == (503, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("fulfillment.order_details", marks=pytest.mark.needs_plugins("fulfillment")),
        pytest.param("paypal.price_owed", marks=pytest.mark.needs_plugins("paypal")),
    ],
)
def test_storefront_knows_what_its_orders_cost_and_who_bought_them(name: str) -> None:
    asked = filters.defined[f"org.edx.coordinator.{name}.requested.v1"]
    StorefrontOrder.objects.create(
        order_number="EDX-1", username="ann", lms_user_id=84213577, courses=["course-v1:X+A+1"]
    )
    question = {"provider": "paypal", "account": "", "payment_id": "C1", "lines": ()}
    details = asked.ask(order_number="EDX-1", **question)["details"]
    assert (details.owed, details.username, details.lms_user_id) == (
        Money(amount=14900, currency="USD"),
        "ann",
        84213577,
    )
    assert [(line.course_key, line.price) for line in details.lines] == [("course-v1:X+A+1", details.owed)]
    assert asked.ask(order_number="EDX-2", **question).get("details") is None
