"""A history as PayPal tells of it, by its documents alone. A lost dispute is told twice: as such, and as a reversal."""

import random
from collections.abc import Iterator
from typing import Any

from .model import Dispute, History, Payment, Refund

#: Decimal places of PayPal's amounts and of ISO 4217, where they are not two and two.
PLACES = {"JPY": (0, 0), "KWD": (3, 3), "ISK": (0, 0), "HUF": (0, 2)}
API = "https://api.sandbox.paypal.com/v2/payments"


class PayPalWire:
    """`events`: bodies in any order they may come in, of one history."""

    def __init__(self, history: History, chance: random.Random) -> None:
        self.history = history
        self.chance = chance
        self.numbers = iter(range(1, 10_000))

    def events(self) -> list[dict[str, Any]]:
        return [event for payment in self.history.payments for event in self._of(payment)]

    def _of(self, payment: Payment) -> Iterator[dict[str, Any]]:
        for number in range(payment.failures):
            # Each try is a capture of its own.
            tried = self._capture(payment, "DECLINED", capture_id=f"{payment.payment_id}-{number}")
            yield self._event(f"PAYMENT.CAPTURE.{self.chance.choice(('DENIED', 'DECLINED'))}", tried)
        if payment.way == "async":
            yield self._event("PAYMENT.CAPTURE.PENDING", self._capture(payment, "PENDING"))
        if payment.captured:
            yield self._event("PAYMENT.CAPTURE.COMPLETED", self._capture(payment, "COMPLETED"))
        for refund in payment.refunds:
            for status in refund.statuses:
                yield self._refunded(payment, refund, status)
        for dispute in payment.disputes:
            yield from self._disputed(payment, dispute)

    def _refunded(self, payment: Payment, refund: Refund, status: str) -> dict[str, Any]:
        number = self.history.order_number
        kinds = {
            "pending": ("PAYMENT.REFUND.PENDING", "PENDING"),
            "succeeded": ("PAYMENT.CAPTURE.REFUNDED", "COMPLETED"),
            "failed": ("PAYMENT.REFUND.FAILED", "FAILED"),
        }
        event_type, told = kinds[status]
        asked = {"custom_id": f"refund:{number}:{refund.line or 'all'}"} if refund.line or refund.whole_asked else {}
        return self._event(event_type, self._back(payment, refund.refund_id, refund.amount, status=told, **asked))

    def _disputed(self, payment: Payment, dispute: Dispute) -> Iterator[dict[str, Any]]:
        stage = "INQUIRY" if dispute.is_inquiry else "CHARGEBACK"
        found = {
            "dispute_id": dispute.dispute_id,
            "create_time": "2026-03-01T11:00:00Z",
            "disputed_transactions": [{"seller_transaction_id": payment.payment_id}],
            "reason": "UNAUTHORISED",
            "dispute_amount": self._money(dispute.amount),
            "dispute_life_cycle_stage": stage,
        }
        yield self._event("CUSTOMER.DISPUTE.CREATED", {**found, "status": "OPEN"})
        if dispute.outcome == "open" or dispute.is_inquiry:
            return
        codes = {"won": ("RESOLVED_SELLER_FAVOUR", "CANCELED_BY_BUYER"), "lost": ("RESOLVED_BUYER_FAVOUR", "ACCEPTED")}
        outcome = {"outcome_code": self.chance.choice(codes[dispute.outcome])}
        yield self._event("CUSTOMER.DISPUTE.RESOLVED", {**found, "status": "RESOLVED", "dispute_outcome": outcome})
        if dispute.is_lost:
            reversal = self._back(payment, f"rev-{dispute.dispute_id}", dispute.amount, status="COMPLETED")
            yield self._event("PAYMENT.CAPTURE.REVERSED", reversal)

    # --- PayPal's objects ---

    def _event(self, event_type: str, resource: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"WH-{self.history.seed}-{next(self.numbers)}",
            "event_version": "1.0",
            "resource_version": "2.0",
            "create_time": "2026-03-01T11:59:50.940Z",
            "event_type": event_type,
            "resource": resource,
        }

    def _money(self, amount: int) -> dict[str, str]:
        written, counted = PLACES.get(self.history.currency, (2, 2))
        units = str(amount // 10 ** (counted - written)).rjust(written + 1, "0")
        value = f"{units[:-written]}.{units[-written:]}" if written else units
        return {"currency_code": self.history.currency, "value": value}

    def _capture(self, payment: Payment, status: str, *, capture_id: str = "") -> dict[str, Any]:
        capture_id = capture_id or payment.payment_id
        return {
            "id": capture_id,
            "amount": self._money(payment.amount),
            "custom_id": self.history.order_number,
            "status": status,
            "create_time": "2026-03-01T11:59:40Z",
            "links": [{"href": f"{API}/captures/{capture_id}", "rel": "self"}],
        }

    def _back(self, payment: Payment, refund_id: str, amount: int, **more: str) -> dict[str, Any]:
        refund_id = refund_id.replace("_", "-")
        return {
            "id": refund_id,
            "amount": self._money(amount),
            "create_time": "2026-03-01T11:59:45Z",
            "links": [
                {"href": f"{API}/refunds/{refund_id}", "rel": "self"},
                {"href": f"{API}/captures/{payment.payment_id}", "rel": "up"},
            ],
            **more,
        }
