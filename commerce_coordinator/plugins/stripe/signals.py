from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    DisputeWon,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    RefundFailed,
)

from .payloads import ChargeRefunded

_PAYMENT = ("provider", "account", "payment_id")
_REFUND = (*_PAYMENT, "refund_id")
_DISPUTE = ("provider", "account", "dispute_id")

#: The buyer's money is with Stripe. Once per payment, however many events tell of it.
payment_captured = CoordinatorSignal(PaymentCaptured, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: A try to pay failed. Each try is news of its own.
payment_failed = CoordinatorSignal(PaymentFailed, subject="order_number", person="lms_user_id", needs_receiver=False)

#: Money has gone back. Once per refund, whichever family of events tells of it.
payment_refunded = CoordinatorSignal(PaymentRefunded, unique_by=_REFUND)

#: A refund did not reach the buyer, maybe after it had been told of as done. Once per refund.
refund_failed = CoordinatorSignal(RefundFailed, unique_by=_REFUND)

#: The buyer's bank asks for the money back. Once per dispute.
payment_disputed = CoordinatorSignal(PaymentDisputed, unique_by=_DISPUTE)

#: The bank has decided for the buyer. Once per dispute.
dispute_lost = CoordinatorSignal(DisputeLost, unique_by=_DISPUTE)

#: The money stays with us. Once per dispute.
dispute_won = CoordinatorSignal(DisputeWon, unique_by=_DISPUTE, needs_receiver=False)

#: A charge was refunded, and its event does not say by what. Each may tell of a new refund.
charge_refunded = CoordinatorSignal(ChargeRefunded)
