"""PayPal keeps what every provider promises."""

import base64
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from commerce_coordinator.core.testing.providers import Absent, Event, ProviderContract
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    DisputeWon,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    RefundFailed,
)

from .. import signals as told
from . import pki
from .paypal_events import (
    CERT_URL,
    LIVE_CERT_URL,
    LIVE_WEBHOOK_ID,
    SELF,
    WEBHOOK_ID,
    capture,
    dispute,
    event,
    refund,
    resolved,
    signed_headers,
)

EMAIL = "ann@example.com"
AMOUNT = ("resource.amount.value", "resource.amount.currency_code")
DISPUTED = ("resource.dispute_amount.value", "resource.dispute_amount.currency_code")
DISPUTE = ["resource", "resource.dispute_id", "resource.disputed_transactions.0.seller_transaction_id"]


class TestPayPal(ProviderContract):
    pytestmark = pytest.mark.database
    provider = "paypal"
    url = "/paypal/webhook/"
    event_type_at = "event_type"
    signals = {
        PaymentCaptured: told.payment_captured,
        PaymentFailed: told.payment_failed,
        PaymentRefunded: told.payment_refunded,
        RefundFailed: told.refund_failed,
        PaymentDisputed: told.payment_disputed,
        DisputeLost: told.dispute_lost,
        DisputeWon: told.dispute_won,
    }
    required = {
        PaymentCaptured: ["resource", "resource.id"],
        PaymentFailed: ["resource", "resource.id"],
        PaymentRefunded: ["resource", "resource.id", "resource.links"],
        RefundFailed: ["resource", "resource.id", "resource.links"],
        PaymentDisputed: DISPUTE,
        DisputeLost: [*DISPUTE, "resource.dispute_outcome.outcome_code"],
        DisputeWon: [*DISPUTE, "resource.dispute_outcome.outcome_code"],
    }
    money_at = {
        PaymentCaptured: AMOUNT,
        PaymentRefunded: AMOUNT,
        RefundFailed: AMOUNT,
        PaymentDisputed: DISPUTED,
        DisputeLost: DISPUTED,
        DisputeWon: DISPUTED,
    }
    # Source: PayPal's list of currency codes. The forint and the Taiwan dollar have no decimals there.
    amounts = [
        ("149.99", "EUR", Money(amount=14999, currency="EUR")),
        ("1500", "JPY", Money(amount=1500, currency="JPY")),
        ("1500", "HUF", Money(amount=150000, currency="HUF")),
        ("1500", "TWD", Money(amount=150000, currency="TWD")),
    ]
    no_currencies_with = {3: Absent("PayPal takes no currency that has three.")}
    bad_amounts = {"negative": "-149.00", "fractional": "149.001", "a number": 149, "a power": "1e3", "none": "NaN"}
    # Version 1 of PayPal's API writes refunds with a minus.
    written_after_all = {PaymentRefunded: ["negative"], RefundFailed: ["negative"]}
    private = [EMAIL]
    # All but the certificate's address: half of one is at PayPal's host still, and what is not there is a 503.
    signature_headers = [
        "PAYPAL-TRANSMISSION-ID",
        "PAYPAL-TRANSMISSION-TIME",
        "PAYPAL-TRANSMISSION-SIG",
        "PAYPAL-AUTH-ALGO",
    ]
    captured_otherwise = Absent("An order that is approved is no payment; one type tells of a capture.")
    of_another_mode = Absent("Events go to the app that took the payment; a simulator's are refused where it is live.")

    webhook_id, cert_url = WEBHOOK_ID, CERT_URL

    def sign(self, body: bytes, *, redelivery: bool = False) -> dict[str, str]:
        headers = signed_headers(body, webhook_id=self.webhook_id, cert_url=self.cert_url)
        return self.sent_again(body, headers) if redelivery else headers

    def sent_again(self, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        """By another transmission, some minutes later."""
        names = "81e7c4a0-d67a-11e5-baa3-778b53f4ae55", "2026-03-01T12:04:55Z"
        signed = "|".join([*names, self.webhook_id, str(zlib.crc32(body))]).encode()
        signature = base64.b64encode(pki.key("leaf").sign(signed, PKCS1v15(), SHA256())).decode()
        changes = zip(("ID", "TIME", "SIG"), (*names, signature), strict=True)
        return {**headers, **{f"PAYPAL-TRANSMISSION-{name}": value for name, value in changes}}

    def sign_with_another_secret(self, body: bytes) -> dict[str, str]:
        return signed_headers(body, webhook_id=self.webhook_id, cert_url=self.cert_url, key="a stranger's")

    def captured(self, *, order_number: str, payment_id: str, money: Money, event_id: str) -> Event:
        about = {"id": payment_id, "custom_id": order_number, "payee": {"email_address": EMAIL}}
        return event("PAYMENT.CAPTURE.COMPLETED", capture(**about, amount=written(money)), id=event_id)

    def failed(self, *, order_number: str, payment_id: str, event_id: str) -> Event:
        declined = capture(id=payment_id, custom_id=order_number, status="DECLINED")
        return event("PAYMENT.CAPTURE.DECLINED", declined, id=event_id)

    def refunded(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        found = refund_of(payment_id, refund_request_id, id=refund_id, amount=written(money))
        return event("PAYMENT.CAPTURE.REFUNDED", found, id=event_id, resource_type="refund")

    def refund_failed(
        self, *, payment_id: str, refund_id: str, money: Money, event_id: str, refund_request_id: str = ""
    ) -> Event:
        found = refund_of(payment_id, refund_request_id, id=refund_id, amount=written(money), status="FAILED")
        return event("PAYMENT.REFUND.FAILED", found, id=event_id, resource_type="refund")

    def disputed(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = dispute(**about_dispute(payment_id, dispute_id, money))
        return event("CUSTOMER.DISPUTE.CREATED", found, id=event_id, resource_type="dispute")

    def dispute_lost(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = resolved("RESOLVED_BUYER_FAVOUR", **about_dispute(payment_id, dispute_id, money))
        return event("CUSTOMER.DISPUTE.RESOLVED", found, id=event_id, resource_type="dispute")

    def dispute_won(self, *, payment_id: str, dispute_id: str, money: Money, event_id: str) -> Event:
        found = resolved("RESOLVED_SELLER_FAVOUR", **about_dispute(payment_id, dispute_id, money))
        return event("CUSTOMER.DISPUTE.RESOLVED", found, id=event_id, resource_type="dispute")

    def unknown(self, *, event_id: str) -> Event:
        return event("VAULT.CREDIT-CARD.CREATED", {"id": "CARD-1"}, id=event_id)

    def not_ours(self, *, event_id: str) -> Event:
        return event("PAYMENT.CAPTURE.COMPLETED", capture(custom_id=...), id=event_id)


class TestPayPalByALiveAccount(TestPayPal):
    """An account's events are signed for its own webhook, and are told under its name."""

    account = "shop"
    url = "/paypal/webhook/shop/"
    webhook_id, cert_url = LIVE_WEBHOOK_ID, LIVE_CERT_URL


def written(money: Money) -> dict[str, str]:
    """The amount as PayPal writes it. Of a currency that both count alike."""
    return {"currency_code": money.currency, "value": str(money.as_decimal())}


def refund_of(payment_id: str, refund_request_id: str, **changes: Any) -> dict[str, Any]:
    links = [{"href": f"{SELF}/captures/{payment_id}", "rel": "up", "method": "GET"}]
    ours = {"custom_id": f"refund:{refund_request_id}"} if refund_request_id else {}
    return refund(links=links, **ours, **changes)


def about_dispute(payment_id: str, dispute_id: str, money: Money) -> dict[str, Any]:
    transactions = [{"seller_transaction_id": payment_id}]
    return {"dispute_id": dispute_id, "disputed_transactions": transactions, "dispute_amount": written(money)}
