from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.enrollments import (
    EnrollmentOrderedByService,
    EnrollmentRefused,
    EntitlementGranted,
    EntitlementRevoked,
    LearnerEnrolled,
    LearnerUnenrolled,
)
from commerce_coordinator.payloads.payments import RefundRequested
from commerce_coordinator.payloads.people import AccountDeactivationRequested, UserRetired

# --- What the LMS and other services asked of us ---

#: A learner's money is to go back. Once per payment and line of an order, however often the LMS asks.
refund_requested = CoordinatorSignal(
    RefundRequested,
    subject="order_number",
    person="lms_user_id",
    unique_by=("provider", "account", "payment_id", "refund_request_id"),
    sent_by="POST /lms/refund/",
)

#: A service wants a learner enrolled, without a payment. Once per order number, which follows from its idempotency key.
enrollment_ordered_by_service = CoordinatorSignal(
    EnrollmentOrderedByService,
    subject="order_number",
    person="lms_user_id",
    unique_by=("order_number",),
    sent_by="POST /lms/enrollment/",
)

#: The LMS retires a learner. Our own rows are clean by then; whoever keeps something of him erases it.
user_retired = CoordinatorSignal(
    UserRetired, person="lms_user_id", needs_receiver=False, sent_by="POST /lms/user_retirement/"
)

#: An account on the LMS is to be closed.
account_deactivation_requested = CoordinatorSignal(
    AccountDeactivationRequested, person="lms_user_id", sent_by="another program, by the API"
)

# --- How it ended on the LMS. News: nobody need hear it, but for a refusal ---

#: The learner is in the course, in the mode that was asked for; whether it took a call or not.
lms_learner_enrolled = CoordinatorSignal(
    LearnerEnrolled, subject="order_number", person="lms_user_id", needs_receiver=False
)

#: The learner is out of the course, or in it by a mode that this order did not give.
lms_learner_unenrolled = CoordinatorSignal(
    LearnerUnenrolled, subject="order_number", person="lms_user_id", needs_receiver=False
)

entitlement_granted = CoordinatorSignal(
    EntitlementGranted, subject="order_number", person="lms_user_id", needs_receiver=False
)

entitlement_revoked = CoordinatorSignal(
    EntitlementRevoked, subject="order_number", person="lms_user_id", needs_receiver=False
)

#: A line that was paid for is not in effect, and no further try will change that.
enrollment_refused = CoordinatorSignal(EnrollmentRefused, subject="order_number", person="lms_user_id")
