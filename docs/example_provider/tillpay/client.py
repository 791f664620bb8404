"""Tillpay's API. ApiClient brings time-outs, keeps each call in the attempt, and tells Retry from GiveUp."""

from typing import Any

import requests
from django.conf import settings

from commerce_coordinator.core.clients import ApiClient


class TillpayClient(ApiClient):
    def __init__(self) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {settings.TILLPAY_API_KEY}"
        super().__init__(session, url_root=settings.TILLPAY_URL, connect_timeout=3.05, read_timeout=10)

    def refunds_of(self, payment_id: str) -> list[dict[str, Any]]:
        """What has gone back of a payment, or is on its way."""
        found: list[dict[str, Any]] = self.call("GET", "payments/{id}/refunds", parts={"id": payment_id}).json()
        return found

    def refund(self, payment_id: str, *, amount: int | None, reference: dict[str, str], key: str) -> None:
        """Give back `amount`, in Tillpay's units; None: all that is left."""
        values = {"reference": reference} if amount is None else {"reference": reference, "amount": amount}
        self.call("POST", "payments/{id}/refunds", parts={"id": payment_id}, json=values, idempotency_key=key)
