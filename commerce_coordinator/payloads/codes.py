"""Enrolment codes of the legacy shop."""

from .base import Payload, PrivateText


class EnrollmentCodeRedemptionRequested(Payload):
    """A learner wants to redeem a code: one that was paid for, so it is as good as money and kept private.

    redemption_key: the same for each try of the same learner, SKU and code; tells nothing of the code.
    """

    sku: str
    code: PrivateText
    lms_user_id: int | None = None
    username: PrivateText
    redemption_key: str = ""
