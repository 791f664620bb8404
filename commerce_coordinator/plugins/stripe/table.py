"""The one table: what each type of Stripe's events means here. All other types are ignored."""

from commerce_coordinator.core.inbox.webhooks import Meaning, SignalTable
from commerce_coordinator.core.signals.signal import CoordinatorSignal

from .events import disputes, payments, refunds
from .signals import (
    charge_refunded,
    dispute_lost,
    dispute_won,
    payment_captured,
    payment_disputed,
    payment_failed,
    payment_refunded,
    refund_failed,
)

#: An update of a refund may tell of its success or of its failure.
_REFUND: list[Meaning] = [
    (payment_refunded, refunds.payment_refunded_from_refund),
    (refund_failed, refunds.refund_failed_by_status),
]

SIGNALS: SignalTable = {
    "payment_intent.succeeded": (payment_captured, payments.payment_captured_from_payment_intent),
    "payment_intent.payment_failed": (payment_failed, payments.payment_failed_from_payment_intent),
    "payment_intent.canceled": (payment_failed, payments.payment_failed_from_cancellation),
    "checkout.session.completed": (payment_captured, payments.payment_captured_from_completed_session),
    "checkout.session.async_payment_succeeded": (payment_captured, payments.payment_captured_from_late_session),
    "checkout.session.async_payment_failed": (payment_failed, payments.payment_failed_from_session),
    "charge.refunded": [
        (charge_refunded, refunds.charge_refunded_from_charge),
        (payment_refunded, refunds.payments_refunded_from_charge),
    ],
    "charge.refund.updated": _REFUND,
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": (refund_failed, refunds.refund_failed_from_refund),
    "charge.dispute.created": (payment_disputed, disputes.payment_disputed_from_dispute),
    "charge.dispute.closed": [
        (dispute_lost, disputes.dispute_lost_from_dispute),
        (dispute_won, disputes.dispute_won_from_dispute),
    ],
}


def signals_of_the_table() -> set[CoordinatorSignal]:
    """Every signal that an event of Stripe's can mean."""
    return {signal for entry in SIGNALS.values() for signal, _ in (entry if isinstance(entry, list) else [entry])}
