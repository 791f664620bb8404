"""The two facts that Tillpay tells, in the words that all providers share."""

from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.payments import PaymentCaptured, PaymentRefunded

_PAYMENT = ("provider", "account", "payment_id")

#: Once per payment, however many events tell of it.
payment_captured = CoordinatorSignal(PaymentCaptured, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: Once per refund: a payment may have several.
payment_refunded = CoordinatorSignal(PaymentRefunded, unique_by=(*_PAYMENT, "refund_id"))
