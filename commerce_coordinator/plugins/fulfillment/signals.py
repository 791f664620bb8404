from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.enrollments import EnrollmentRequested
from commerce_coordinator.payloads.orders import OrderPlaced

#: A payment became an order. Once per payment.
order_placed = CoordinatorSignal(
    OrderPlaced,
    subject="order_number",
    person="lms_user_id",
    unique_by=("provider", "account", "payment_id"),
)

#: One line of an order is to become an enrolment.
enrollment_requested = CoordinatorSignal(EnrollmentRequested, subject="order_number", person="lms_user_id")
