from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.orders import OrderHeld
from commerce_coordinator.payloads.payments import (
    DisputeLost,
    DisputeWon,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    RefundFailed,
)

from .payloads import PayPalOrderApproved

_PAYMENT = ("provider", "account", "payment_id")
_REFUND = (*_PAYMENT, "refund_id")
_DISPUTE = ("provider", "account", "dispute_id")

#: A buyer has approved what he is to pay. Once per order of PayPal's.
order_approved = CoordinatorSignal(
    PayPalOrderApproved, subject="order_number", unique_by=("account", "paypal_order_id")
)

#: What a buyer approved was not captured: somebody must look. Once per order of PayPal's.
order_not_captured = CoordinatorSignal(OrderHeld, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: The buyer's money is with PayPal. Once per capture.
payment_captured = CoordinatorSignal(PaymentCaptured, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: A capture came to nothing. News: the buyer was told by PayPal, and may order again.
payment_failed = CoordinatorSignal(
    PaymentFailed, subject="order_number", person="lms_user_id", unique_by=_PAYMENT, needs_receiver=False
)

#: Money went back to the buyer, by a refund or a reversal. Once per refund.
payment_refunded = CoordinatorSignal(PaymentRefunded, unique_by=_REFUND)

#: A refund did not reach the buyer. Once per refund.
refund_failed = CoordinatorSignal(RefundFailed, unique_by=_REFUND)

#: A buyer wants his money back, and PayPal or his bank will decide. Once per dispute.
payment_disputed = CoordinatorSignal(PaymentDisputed, unique_by=_DISPUTE)

#: Decided for the buyer. Once per dispute.
dispute_lost = CoordinatorSignal(DisputeLost, unique_by=_DISPUTE)

#: Decided for us, or withdrawn. Once per dispute. News: nothing changes.
dispute_won = CoordinatorSignal(DisputeWon, unique_by=_DISPUTE, needs_receiver=False)
