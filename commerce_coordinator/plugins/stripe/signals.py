from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.payments import PaymentCaptured

#: The buyer's money is with Stripe. Once per payment, however many events tell of it.
payment_captured = CoordinatorSignal(
    PaymentCaptured,
    subject="order_number",
    person="lms_user_id",
    unique_by=("provider", "account", "payment_id"),
)
