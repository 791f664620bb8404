from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.enrollments import EnrollmentRequested, EntitlementRequested, RevocationRequested
from commerce_coordinator.payloads.orders import OrderHeld, OrderPlaced
from commerce_coordinator.payloads.payments import OrderLineRefunded, OrderRefunded, RefundNeedsAttention

_PAYMENT = ("provider", "account", "payment_id")

#: A payment became an order. Once per payment.
order_placed = CoordinatorSignal(OrderPlaced, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: A payment came that no order could be placed of. Once per payment, however often it is looked at again.
order_held = CoordinatorSignal(OrderHeld, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: One line of an order is to become an enrolment.
enrollment_requested = CoordinatorSignal(EnrollmentRequested, subject="order_number", person="lms_user_id")

#: One line of an order is to become an entitlement.
entitlement_requested = CoordinatorSignal(EntitlementRequested, subject="order_number", person="lms_user_id")

#: The access that one line of an order gave is to go.
revocation_requested = CoordinatorSignal(RevocationRequested, subject="order_number", person="lms_user_id")

#: The whole of a payment has gone back. Once per payment.
order_refunded = CoordinatorSignal(OrderRefunded, subject="order_number", person="lms_user_id", unique_by=_PAYMENT)

#: Money has gone back for one line of an order, as it was asked for. Once per refund.
order_line_refunded = CoordinatorSignal(
    OrderLineRefunded, subject="order_number", person="lms_user_id", unique_by=(*_PAYMENT, "refund_id")
)

#: Money went back, or a refund failed, and somebody must look. Once per refund and reason.
refund_needs_attention = CoordinatorSignal(
    RefundNeedsAttention, subject="order_number", unique_by=(*_PAYMENT, "refund_id", "reason")
)
