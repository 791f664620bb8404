"""The full circle: a purchase, the LMS asks for the money back, the provider refunds and tells, the access goes, the
learner gets his mail, and his history shows it. By signed webhooks, and over real HTTP to an LMS and to the provider.
"""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.test import Client
from openedx_filters import PipelineStep

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.testing import filters_as, run_deliveries
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderDetails, OrderLine
from commerce_coordinator.plugins.demo_lms.purchase import payment_intent_succeeded, signed
from commerce_coordinator.plugins.fulfillment.filters import OrderDetailsRequested
from commerce_coordinator.plugins.fulfillment.models import Payment
from commerce_coordinator.plugins.lms.tests.conftest import forget_client
from commerce_coordinator.plugins.lms.tests.fake_lms import FakeLms, running_lms
from commerce_coordinator.plugins.paypal import certificates, tokens
from commerce_coordinator.plugins.paypal import client as paypal_client
from commerce_coordinator.plugins.paypal.filters import PriceOwedRequested
from commerce_coordinator.plugins.paypal.models import PayPalCertificate
from commerce_coordinator.plugins.paypal.tests import paypal_events, pki
from commerce_coordinator.plugins.paypal.tests.fake_paypal import running_paypal
from commerce_coordinator.plugins.stripe import client as stripe_client
from commerce_coordinator.plugins.stripe.tests.fake_stripe import KEY, running_stripe

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.needs_plugins("stripe", "paypal", "fulfillment", "lms", "notifications", "order_history"),
]

ORDER, LEARNER, LEARNERS_ID = "EDX-1", "amina", 1313
COURSE = "course-v1:DemoX+Baking+2026"
SECRET = "whsec_circle"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider's stand-in. buy: the learner pays. tell: its events since come in; returns how many."""

    name: str
    buy: Callable[[], None]
    tell: Callable[[], int]
    refunded: Callable[[], int]


class Shop(PipelineStep):
    """The system of record: a provider may tell no more than the order's number."""

    def run_filter(self, *, order_number: str, **_: Any) -> dict[str, Any]:
        price = Money(amount=14900, currency="USD")
        details = OrderDetails(
            order_number=order_number,
            owed=price,
            lines=(OrderLine(line_number=1, course_key=COURSE, mode="verified", price=price),),
            source="shop",
            lms_user_id=LEARNERS_ID,
            username=LEARNER,
            email=f"{LEARNER}@example.com",
        )
        return {"details": details}


@pytest.fixture
def lms(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLms]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings.CC_OPERATOR_EMAILS = ["operator@example.com"]
    cache.clear()
    forget_client()
    asked = (OrderDetailsRequested, PriceOwedRequested)
    with (
        time_machine.travel(pki.NOON, tick=False),
        running_lms() as running,
        filters_as({each.filter_type: [Shop] for each in asked}),
    ):
        settings.CC_LMS_URL_ROOT = running.url
        yield running
        forget_client()


@pytest.fixture
def stripe(settings: Any, lms: FakeLms) -> Iterator[Provider]:
    settings.CC_STRIPE_SECRETS = {"": [SECRET]}
    settings.CC_STRIPE_API_KEYS = {"": KEY}

    def post(event: dict[str, Any]) -> None:
        body, headers = signed(event, SECRET)
        content_type = headers.pop("Content-Type")
        answer = Client().post("/stripe/webhook/", body, content_type=content_type, headers=headers)
        assert answer.status_code == 200, answer.content

    with running_stripe() as fake:
        settings.CC_STRIPE_API_URL = fake.url

        def buy() -> None:
            event = payment_intent_succeeded(
                ORDER, username=LEARNER, lms_user_id=LEARNERS_ID, courses=[COURSE], payment_id="pi_1"
            )
            intent = event["data"]["object"]
            fake.paid("pi_1", intent["amount"], intent["currency"], **intent["metadata"])
            post(event)

        def tell() -> int:
            count = len(fake.events)
            while fake.events:
                post(fake.events.pop(0))
            return count

        yield Provider(name="stripe", buy=buy, tell=tell, refunded=lambda: len(fake.refunds))
        for each in stripe_client._local.__dict__.pop("apis", {}).values():
            each.close()


@pytest.fixture
def paypal(settings: Any, lms: FakeLms, tmp_path: Path) -> Iterator[Provider]:
    settings.CC_PAYPAL_TRUSTED_ROOTS = str(pki.write_roots(tmp_path))
    # PayPal's certificate was fetched before, in another process.
    PayPalCertificate.objects.create(url=paypal_events.CERT_URL, pem=pki.chain().decode())
    certificates.forget_all()
    tokens._tokens.clear()
    with running_paypal() as fake:
        settings.CC_PAYPAL = {"": {**paypal_events.ACCOUNTS[""], "api_url": fake.url}}

        def tell() -> int:
            count = len(fake.events)
            while fake.events:
                answer = paypal_events.post(fake.events.pop(0))
                assert answer.status_code == 200, answer.content
            return count

        def buy() -> None:
            fake.approved("O-1", value="149.00", custom_id=ORDER)
            tell()
            run_deliveries()
            tell()

        yield Provider(name="paypal", buy=buy, tell=tell, refunded=lambda: len(fake.refunds))
        paypal_client.forget_clients()
    certificates.forget_all()
    tokens._tokens.clear()


@pytest.fixture(params=["stripe", "paypal"])
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.getfixturevalue(request.param)
    return found


def ask_for_refund() -> Any:
    """As the LMS does: by the attributes that the enrolment carried."""
    given = {"order_number": ORDER, "order_id": ORDER, "line_item_id": f"{ORDER}-1"}
    body = {
        "course_id": COURSE,
        "username": LEARNER,
        "enrollment_attributes": [
            {"namespace": "order", "name": name, "value": value} for name, value in given.items()
        ],
    }
    headers = as_user("lms-worker", lms_user_id=7, staff=True)
    answer = Client().post("/lms/refund/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()["status"]


def history() -> list[tuple[str, list[str]]]:
    cache.clear()
    headers = as_user(LEARNER, lms_user_id=LEARNERS_ID)
    rows = Client().get("/orders/order_history/", headers=headers).json()["results"]
    return [(row["number"], [line["description"] for line in row["lines"]]) for row in rows]


def is_in(lms: FakeLms) -> bool:
    return bool(lms.enrolled[LEARNER, COURSE]["is_active"])


def test_full_circle(provider: Provider, lms: FakeLms) -> None:
    provider.buy()
    run_deliveries()
    assert is_in(lms)
    assert history() == [(ORDER, ["verified"])]

    assert ask_for_refund() == "requested"
    run_deliveries()
    # The provider has the money on its way back; the access goes when the provider says that it went.
    assert provider.refunded() == 1
    assert is_in(lms)

    assert provider.tell() >= 1
    run_deliveries()
    assert not is_in(lms)
    assert Payment.objects.get().refunded_at is not None
    assert history() == [(ORDER, ["verified, refunded"])]
    subjects = [message.subject for message in mail.outbox]
    assert [ORDER in subject for subject in subjects] == [True, True]
    assert "refund" in subjects[1].lower()
    assert not Delivery.objects.exclude(state="succeeded").exists()


def test_asked_twice_it_goes_back_once(provider: Provider, lms: FakeLms) -> None:
    provider.buy()
    run_deliveries()
    assert [ask_for_refund(), ask_for_refund()] == ["requested", "requested_before"]
    run_deliveries()
    provider.tell()
    run_deliveries()
    assert ask_for_refund() == "already_refunded"
    run_deliveries()
    assert provider.refunded() == 1
    assert not is_in(lms)


def test_receipt_is_the_providers(provider: Provider, lms: FakeLms) -> None:
    provider.buy()
    run_deliveries()
    headers = as_user(LEARNER, lms_user_id=LEARNERS_ID)
    answer = Client().get("/orders/order_receipt/", {"order_number": ORDER}, headers=headers)
    assert answer.status_code == 303
    assert provider.name in answer["Location"]
    other = as_user("bruno", lms_user_id=1414)
    assert Client().get("/orders/order_receipt/", {"order_number": ORDER}, headers=other).status_code == 404
