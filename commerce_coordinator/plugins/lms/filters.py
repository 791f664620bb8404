"""What the LMS's calls ask the rest of the house."""

from commerce_coordinator.core.filters import CoordinatorFilter


class PaymentPageRedirectRequested(CoordinatorFilter):
    """Where does this learner pay?

    Asked with `query` (the whole query, urlencoded), `skus` (a list), `course_run_key`, `bundle`, `username` and
    `lms_user_id` (None for an account of this service alone). A step answers `redirect_url`, an http or https address
    that keeps the query, or {}.
    """

    filter_type = "org.edx.coordinator.lms.payment_page_redirect.requested.v1"


class OrderDetailsPageRedirectRequested(CoordinatorFilter):
    """Where does the support see this order? Asked with `order_number`; a step answers `redirect_url`, or {}."""

    filter_type = "org.edx.coordinator.lms.order_details_page_redirect.requested.v1"


class RefundEligibilityRequested(CoordinatorFilter):
    """May this order, or one line of it, be refunded?

    Asked with `order_number`, `line_number` (None: the caller cannot tell the line), `username`, `lms_user_id` (None
    where it is not known) and `entitlement_uuid` ("" for an enrolment). Answered with `payment` ({provider, account,
    payment_id}; none: no such order), `eligible`, `reason` (why not, in a sentence), `money` (None: what is left),
    `already_refunded`, `lms_user_id`, and `line_number` where the source can tell it. A source that is away raises
    Retry.
    """

    filter_type = "org.edx.coordinator.lms.refund_eligibility.requested.v1"
