from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.codes import EnrollmentCodeRedemptionRequested

#: A learner wants to redeem a code that somebody paid for. Once per learner, SKU and code.
enrollment_code_redemption_requested = CoordinatorSignal(
    EnrollmentCodeRedemptionRequested,
    subject="sku",
    person="lms_user_id",
    unique_by=("redemption_key",),
    sent_by="POST /ecommerce/redeem_enrollment_code/",
)
