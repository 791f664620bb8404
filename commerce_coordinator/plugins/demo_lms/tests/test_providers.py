"""The stand-ins of Stripe and PayPal keep the rules of money that the real ones keep, and tell of what they did."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from ..models import StorefrontOrder
from ..providers import kept, paypal, stripe, webhooks

pytestmark = pytest.mark.django_db

WEBHOOKS = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> WEBHOOKS:
    """The events that the stand-ins sent: (path, event)."""
    found: WEBHOOKS = []

    def tell(url: str, body: bytes, headers: Any) -> tuple[int, float]:
        found.append(("/" + url.split("/", 3)[3], json.loads(body)))
        return 200, 1.0

    monkeypatch.setattr(webhooks, "tell", tell)
    return found


@pytest.fixture
def order() -> StorefrontOrder:
    return StorefrontOrder.objects.create(
        order_number="EDX-1", username="ann", lms_user_id=7, courses=["course-v1:X+A+1", "course-v1:X+B+1"]
    )


# --- Stripe ---


class Stripe:
    """One PaymentIntent of 298.00, and the API as this service calls it."""

    def __init__(self, order: StorefrontOrder, told: WEBHOOKS, rf: Any) -> None:
        stripe.pay(order, rf.get("/"))
        self.payment_id = told[-1][1]["data"]["object"]["id"]
        self.key = "sk_test_local"

    def call(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.key}", **headers}
        return getattr(Client(), method)(f"/demo_lms/stripe/v1/{path}", data or {}, headers=sent)

    def refund(self, amount: Any = None, key: str = "", **more: str) -> Any:
        form = {"payment_intent": self.payment_id, **more} | ({} if amount is None else {"amount": str(amount)})
        return self.call("post", "refunds", form, **({"Idempotency-Key": key} if key else {}))

    def refunds(self) -> list[int]:
        rows = self.call("get", "refunds", {"payment_intent": self.payment_id}).json()["data"]
        return [row["amount"] for row in rows]


@pytest.fixture
def at_stripe(order: StorefrontOrder, told: WEBHOOKS, rf: Any, settings: Any) -> Stripe:
    settings.CC_STRIPE_API_KEYS = {"": "sk_test_local"}
    return Stripe(order, told, rf)


def test_stripe_knows_the_payment_and_its_receipt(at_stripe: Stripe, client: Client) -> None:
    intent = at_stripe.call("get", f"payment_intents/{at_stripe.payment_id}").json()
    assert (intent["amount_received"], intent["latest_charge"]["amount_refunded"]) == (29800, 0)
    assert intent["metadata"]["order_number"] == "EDX-1"
    page = "/" + intent["latest_charge"]["receipt_url"].split("/", 3)[3]
    assert client.get(page).json()["amount"] == 29800
    assert client.get("/demo_lms/stripe/receipts/pi_none/").status_code == 404


def test_payments_of_an_order_are_shown(at_stripe: Stripe, client: Client) -> None:
    at_stripe.refund(14900)
    [shown] = client.get("/demo_lms/payments/EDX-1/").json()["payments"]
    assert (shown["provider"], [each["amount"] for each in shown["document"]["refunds"]]) == ("stripe", [14900])
    assert client.get("/demo_lms/payments/EDX-2/").json() == {"payments": []}


def test_stripe_gives_a_part_back_and_tells_of_it_once(at_stripe: Stripe, told: WEBHOOKS) -> None:
    more = {"metadata[refund_request_id]": "EDX-1:1"}
    first, again = at_stripe.refund(14900, "key", **more), at_stripe.refund(14900, "key", **more)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert at_stripe.refunds() == [14900]
    [(path, event)] = told[1:]
    assert (path, event["type"], event["data"]["object"]) == ("/stripe/webhook/", "refund.created", first.json())
    assert first.json()["metadata"] == {"refund_request_id": "EDX-1:1"}


def test_stripe_gives_no_more_back_than_is_left(at_stripe: Stripe, told: WEBHOOKS) -> None:
    assert at_stripe.refund(14900).status_code == 200
    for wrong in (14901, "-1", "1.5", "²"):
        assert at_stripe.refund(wrong).status_code == 400
    assert at_stripe.refund().json()["amount"] == 14900
    assert at_stripe.refund().json()["error"]["code"] == "charge_already_refunded"
    assert at_stripe.refunds() == [14900, 14900]
    assert len(told) == 3


def test_stripe_serves_nobody_without_its_key_and_no_other_call(at_stripe: Stripe) -> None:
    assert at_stripe.call("get", "payment_intents/pi_none").status_code == 404
    assert at_stripe.call("post", "refunds", {"payment_intent": "pi_none"}).status_code == 404
    assert at_stripe.call("post", "charges").status_code == 404
    assert at_stripe.call("get", "disputes").json()["data"] == []
    at_stripe.key = "sk_test_other"
    assert at_stripe.call("get", "refunds").status_code == 401


# --- PayPal ---


class PayPal:
    """One approved order of 298.00, and the API as this service calls it."""

    def __init__(self, order: StorefrontOrder, told: WEBHOOKS, rf: Any) -> None:
        paypal.pay(order, rf.get("/"))
        self.order_id = told[-1][1]["resource"]["id"]
        pair = base64.b64encode(b"local-paypal-client:local-paypal-secret").decode()
        answer = Client().post("/demo_lms/paypal/v1/oauth2/token", headers={"Authorization": f"Basic {pair}"})
        self.token = answer.json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, request_id: str = "") -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "PayPal-Request-Id": request_id}
        url, options = f"/demo_lms/paypal/{path}", {"headers": headers}
        if method == "get":
            return Client().get(url, **options)
        return Client().post(url, body if body is not None else {}, content_type="application/json", **options)

    def capture(self) -> Any:
        return self.call("post", f"v2/checkout/orders/{self.order_id}/capture")

    def refund(self, value: str | None = None, request_id: str = "") -> Any:
        wish = {"custom_id": "refund:EDX-1:1"} | ({} if value is None else {"amount": {"value": value}})
        return self.call("post", f"v2/payments/captures/C{self.order_id}/refund", wish, request_id)


@pytest.fixture
def at_paypal(order: StorefrontOrder, told: WEBHOOKS, rf: Any) -> PayPal:
    return PayPal(order, told, rf)


def issue(answer: Any) -> str:
    found: str = answer.json()["details"][0]["issue"]
    return found


def test_paypal_captures_once_and_tells_of_it(at_paypal: PayPal, told: WEBHOOKS) -> None:
    assert at_paypal.capture().status_code == 201
    assert issue(at_paypal.capture()) == "ORDER_ALREADY_CAPTURED"
    [(path, event)] = told[1:]
    assert (path, event["event_type"]) == ("/paypal/webhook/", "PAYMENT.CAPTURE.COMPLETED")
    capture = at_paypal.call("get", f"v2/payments/captures/C{at_paypal.order_id}").json()
    assert capture == event["resource"]
    assert (capture["amount"]["value"], capture["custom_id"]) == ("298.00", "EDX-1")
    assert at_paypal.call("get", f"v2/checkout/orders/{at_paypal.order_id}").json()["status"] == "COMPLETED"


def test_paypal_gives_a_part_back_and_tells_of_it_once(at_paypal: PayPal, told: WEBHOOKS) -> None:
    at_paypal.capture()
    first, again = at_paypal.refund("149.00", "key"), at_paypal.refund("149.00", "key")
    assert (first.status_code, first.json()) == (201, again.json())
    [(path, event)] = told[2:]
    assert (path, event["event_type"], event["resource"]) == (
        "/paypal/webhook/",
        "PAYMENT.CAPTURE.REFUNDED",
        first.json(),
    )


def test_paypal_gives_no_more_back_than_is_left(at_paypal: PayPal, told: WEBHOOKS) -> None:
    assert at_paypal.refund().status_code == 404, "nothing was captured"
    at_paypal.capture()
    assert at_paypal.refund("149.00").status_code == 201
    assert [issue(at_paypal.refund(value)) for value in ("149.01", "0.00", "-1.00")] == ["REFUND_AMOUNT_EXCEEDED"] * 3
    assert [at_paypal.refund(value).status_code for value in ("149", "x.00", "")] == [400, 400, 400]
    assert at_paypal.refund().json()["amount"]["value"] == "149.00"
    assert issue(at_paypal.refund()) == "CAPTURE_FULLY_REFUNDED"
    assert len(told) == 4


def test_paypal_serves_nobody_without_a_token_of_its_own(at_paypal: PayPal) -> None:
    wrong = base64.b64encode(b"local-paypal-client:other").decode()
    answer = Client().post("/demo_lms/paypal/v1/oauth2/token", headers={"Authorization": f"Basic {wrong}"})
    assert answer.status_code == 401
    assert at_paypal.call("get", "v2/checkout/orders/none").status_code == 404
    assert at_paypal.call("post", "v2/checkout/orders/none/capture").status_code == 404
    assert at_paypal.call("get", "v2/payments/captures/none").status_code == 404
    assert at_paypal.call("get", "v1/identity").status_code == 404
    at_paypal.token = "forged"
    assert at_paypal.capture().status_code == 401
    order = kept.read("paypal", at_paypal.order_id)
    assert order is not None and order["status"] == "APPROVED"


@pytest.mark.parametrize("change", ["body", "transmission_id", "transmission_time", "webhook_id", "transmission_sig"])
def test_paypal_vouches_for_its_own_events_alone(at_paypal: PayPal, change: str) -> None:
    body, headers = paypal._signed({"id": "WH-1", "summary": "é"}, "local-webhook-id")
    asked = {
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "webhook_id": "local-webhook-id",
    }

    def verdict() -> str:
        question = json.dumps(asked).encode()[:-1] + b', "webhook_event": ' + body + b"}"
        answer = at_paypal.call("post", "v1/notifications/verify-webhook-signature", question)
        found: str = answer.json()["verification_status"]
        return found

    assert verdict() == "SUCCESS"
    if change == "body":
        body = body.replace(b"WH-1", b"WH-2")
    else:
        asked[change] += "x"
    assert verdict() == "FAILURE"


def test_question_that_is_none_is_no_success(at_paypal: PayPal) -> None:
    for question in (b"", b"{}", b"[]", b'{"transmission_sig": 7, "webhook_event": {}}'):
        answer = at_paypal.call("post", "v1/notifications/verify-webhook-signature", question)
        assert answer.json() == {"verification_status": "FAILURE"}
