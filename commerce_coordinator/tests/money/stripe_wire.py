"""A history as Stripe tells of it: events of several API versions, some facts told twice, from its documents alone."""

import random
from collections.abc import Iterator
from typing import Any

from .model import Dispute, History, Payment, Refund

#: Minor units by Stripe's count per ISO minor unit, where it differs: ISK is written with two decimals.
UNITS = {"ISK": 100}

#: charge.refunded embeds the refunds; refund.* tells of all.
OLD, NEW = "2022-08-01", "2024-10-28.acacia"


class StripeWire:
    """`events`: bodies in any order they may come in, of one history."""

    provider = "stripe"

    def __init__(self, history: History, chance: random.Random) -> None:
        self.history = history
        self.chance = chance
        self.numbers = iter(range(1, 10_000))

    def events(self) -> list[dict[str, Any]]:
        return [event for payment in self.history.payments for event in self._of(payment)]

    def _of(self, payment: Payment) -> Iterator[dict[str, Any]]:
        for _ in range(payment.failures):
            failed = {"last_payment_error": {"code": "card_declined", "decline_code": "generic_decline"}}
            yield self._event("payment_intent.payment_failed", self._intent(payment, 0, **failed))
        if payment.way == "async":
            yield self._event("checkout.session.completed", self._session(payment, "unpaid"))
        if payment.captured:
            yield from self._captured(payment)
        elif self.chance.random() < 0.5:
            canceled = {"status": "canceled", "cancellation_reason": "abandoned"}
            yield self._event("payment_intent.canceled", self._intent(payment, 0, **canceled))
        for refund in payment.refunds:
            yield from self._refunded(payment, refund)
        for dispute in payment.disputes:
            yield from self._disputed(payment, dispute)

    def _captured(self, payment: Payment) -> Iterator[dict[str, Any]]:
        intent = self._intent(payment, payment.amount)
        if payment.way == "direct":
            yield self._event("payment_intent.succeeded", intent)
            return
        # The session's references reach its PaymentIntent only where the shop copied them.
        if self.chance.random() < 0.5:
            intent["metadata"] = {}
        yield self._event("payment_intent.succeeded", intent)
        done = "completed" if payment.way == "session" else "async_payment_succeeded"
        yield self._event(f"checkout.session.{done}", self._session(payment, "paid"))

    def _refunded(self, payment: Payment, refund: Refund) -> Iterator[dict[str, Any]]:
        old = self.chance.random() < 0.3
        for place, status in enumerate(refund.statuses):
            told = self._refund(payment, refund, status)
            if old and status == "succeeded":
                yield self._event("charge.refunded", self._charge(payment, told), api_version=OLD)
            elif old:
                yield self._event("charge.refund.updated", told, api_version=OLD)
            elif status == "failed":
                yield self._event("refund.failed", told)
            else:
                yield self._event("refund.updated" if place else "refund.created", told)
                if self.chance.random() < 0.3:
                    yield self._event("refund.updated", told)

    def _disputed(self, payment: Payment, dispute: Dispute) -> Iterator[dict[str, Any]]:
        opened = "warning_needs_response" if dispute.is_inquiry else "needs_response"
        yield self._event("charge.dispute.created", self._dispute(payment, dispute, opened))
        if dispute.outcome != "open":
            closed = "warning_closed" if dispute.is_inquiry else dispute.outcome
            yield self._event("charge.dispute.closed", self._dispute(payment, dispute, closed))

    # --- Stripe's objects ---

    def _event(self, kind: str, found: dict[str, Any], *, api_version: str = NEW) -> dict[str, Any]:
        return {
            "id": f"evt_{self.history.seed}_{next(self.numbers)}",
            "object": "event",
            "api_version": api_version,
            "created": 1_772_366_400,
            "livemode": False,
            "request": None,
            "type": kind,
            "data": {"object": found},
        }

    def _units(self, amount: int) -> int:
        return amount * UNITS.get(self.history.currency, 1)

    def _money(self, amount: int, name: str = "amount") -> dict[str, Any]:
        return {name: self._units(amount), "currency": self.history.currency.lower()}

    def _metadata(self) -> dict[str, str]:
        lines = self.history.lines
        return {
            "source_system": "commerce_coordinator",
            "order_number": self.history.order_number,
            "lms_user_id": str(self.history.lms_user_id),
            "username": self.history.username,
            "email": f"{self.history.username}@example.com",
            "course_keys": ",".join(line.course for line in lines),
            "modes": ",".join(line.mode for line in lines),
        }

    def _intent(self, payment: Payment, received: int, **changes: Any) -> dict[str, Any]:
        return {
            "id": payment.payment_id,
            "object": "payment_intent",
            **self._money(payment.amount),
            **self._money(received, "amount_received"),
            "metadata": self._metadata(),
            **changes,
        }

    def _session(self, payment: Payment, status: str) -> dict[str, Any]:
        return {
            "id": f"cs_{payment.payment_id}",
            "object": "checkout.session",
            "mode": "payment",
            "payment_intent": payment.payment_id,
            "payment_status": status,
            **self._money(payment.amount, "amount_total"),
            "metadata": self._metadata(),
        }

    def _refund(self, payment: Payment, refund: Refund, status: str) -> dict[str, Any]:
        number = self.history.order_number
        asked = {"refund_request_id": f"{number}:{refund.line or 'all'}"} if refund.line or refund.whole_asked else {}
        return {
            "id": refund.refund_id,
            "object": "refund",
            **self._money(refund.amount),
            "charge": f"ch_{payment.payment_id}",
            "payment_intent": payment.payment_id,
            "created": 1_772_366_400,
            "status": status,
            "metadata": asked,
        }

    def _charge(self, payment: Payment, refund: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"ch_{payment.payment_id}",
            "object": "charge",
            **self._money(payment.amount),
            "payment_intent": payment.payment_id,
            "refunds": {"object": "list", "data": [refund], "has_more": False},
        }

    def _dispute(self, payment: Payment, dispute: Dispute, status: str) -> dict[str, Any]:
        return {
            "id": dispute.dispute_id,
            "object": "dispute",
            **self._money(dispute.amount),
            "charge": f"ch_{payment.payment_id}",
            "payment_intent": payment.payment_id,
            "created": 1_772_366_400,
            "reason": "fraudulent",
            "status": status,
        }
