"""The one map: which receivers get which signal, and which steps answer which filter.

An operator's YAML (COMMERCE_COORDINATOR_CFG) replaces it signal by signal and filter by filter; `manage.py routes`
prints the result.
"""

from typing import Any

_PLUGINS = "commerce_coordinator.plugins"

CC_SIGNALS: dict[str, list[str]] = {
    f"{_PLUGINS}.stripe.signals.payment_captured": [
        f"{_PLUGINS}.fulfillment.tasks.place_order",
    ],
    f"{_PLUGINS}.stripe.signals.payment_failed": [],
    f"{_PLUGINS}.stripe.signals.payment_refunded": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_order",
    ],
    f"{_PLUGINS}.stripe.signals.refund_failed": [
        f"{_PLUGINS}.fulfillment.tasks.undo_refund",
    ],
    f"{_PLUGINS}.stripe.signals.payment_disputed": [
        f"{_PLUGINS}.fulfillment.tasks.note_dispute",
    ],
    f"{_PLUGINS}.stripe.signals.dispute_lost": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_disputed_order",
    ],
    f"{_PLUGINS}.stripe.signals.dispute_won": [],
    f"{_PLUGINS}.stripe.signals.charge_refunded": [
        f"{_PLUGINS}.stripe.tasks.read_refunds",
    ],
    f"{_PLUGINS}.paypal.signals.order_approved": [
        f"{_PLUGINS}.paypal.tasks.capture_order",
    ],
    f"{_PLUGINS}.paypal.signals.order_not_captured": [
        f"{_PLUGINS}.notifications.tasks.tell_operator_of_held_order",
    ],
    f"{_PLUGINS}.paypal.signals.payment_captured": [
        f"{_PLUGINS}.fulfillment.tasks.place_order",
    ],
    f"{_PLUGINS}.paypal.signals.payment_failed": [],
    f"{_PLUGINS}.paypal.signals.payment_refunded": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_order",
    ],
    f"{_PLUGINS}.paypal.signals.refund_failed": [
        f"{_PLUGINS}.fulfillment.tasks.undo_refund",
    ],
    f"{_PLUGINS}.paypal.signals.payment_disputed": [
        f"{_PLUGINS}.fulfillment.tasks.note_dispute",
    ],
    f"{_PLUGINS}.paypal.signals.dispute_lost": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_disputed_order",
    ],
    f"{_PLUGINS}.paypal.signals.dispute_won": [],
    f"{_PLUGINS}.fulfillment.signals.order_placed": [
        f"{_PLUGINS}.fulfillment.tasks.request_enrollments",
        f"{_PLUGINS}.notifications.tasks.send_order_confirmation",
    ],
    f"{_PLUGINS}.fulfillment.signals.enrollment_requested": [
        f"{_PLUGINS}.lms.tasks.enroll_learner",
    ],
    # Access that came after its money had gone back does not stay.
    f"{_PLUGINS}.lms.signals.lms_learner_enrolled": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_late_enrollment",
    ],
    f"{_PLUGINS}.lms.signals.entitlement_granted": [
        f"{_PLUGINS}.fulfillment.tasks.take_back_late_entitlement",
    ],
    f"{_PLUGINS}.lms.signals.lms_learner_unenrolled": [],
    f"{_PLUGINS}.lms.signals.entitlement_revoked": [],
    f"{_PLUGINS}.lms.signals.enrollment_refused": [
        f"{_PLUGINS}.notifications.tasks.tell_operator_of_refusal",
    ],
    f"{_PLUGINS}.lms.signals.account_deactivation_requested": [
        f"{_PLUGINS}.lms.tasks.deactivate_account",
    ],
    f"{_PLUGINS}.ecommerce.signals.enrollment_code_redemption_requested": [
        f"{_PLUGINS}.ecommerce.tasks.redeem_enrollment_code",
    ],
    f"{_PLUGINS}.fulfillment.signals.entitlement_requested": [
        f"{_PLUGINS}.lms.tasks.grant_entitlement",
    ],
    # Each of the two leaves the other's lines alone.
    f"{_PLUGINS}.fulfillment.signals.revocation_requested": [
        f"{_PLUGINS}.lms.tasks.unenroll_learner",
        f"{_PLUGINS}.lms.tasks.revoke_entitlement",
    ],
    f"{_PLUGINS}.fulfillment.signals.order_held": [
        f"{_PLUGINS}.notifications.tasks.tell_operator_of_held_order",
    ],
    f"{_PLUGINS}.fulfillment.signals.order_refunded": [
        f"{_PLUGINS}.notifications.tasks.send_refund_confirmation",
    ],
    f"{_PLUGINS}.fulfillment.signals.order_line_refunded": [
        f"{_PLUGINS}.notifications.tasks.send_refund_confirmation",
    ],
    f"{_PLUGINS}.fulfillment.signals.refund_needs_attention": [
        f"{_PLUGINS}.notifications.tasks.tell_operator_of_refund",
    ],
    # What the LMS and other services asked of us. Each provider's plugin refunds its own payments.
    f"{_PLUGINS}.lms.signals.refund_requested": [
        f"{_PLUGINS}.stripe.tasks.refund_payment",
        f"{_PLUGINS}.paypal.tasks.refund_payment",
    ],
    f"{_PLUGINS}.lms.signals.enrollment_ordered_by_service": [
        f"{_PLUGINS}.lms.tasks.enroll_learner",
    ],
    f"{_PLUGINS}.lms.signals.user_retired": [],
}

#: Questions that need an answer at once, and who answers: filter -> steps, asked in this order. An empty pipeline says
#: that nobody shall answer. `fail_silently` must be present and False.
OPEN_EDX_FILTERS_CONFIG: dict[str, dict[str, Any]] = {
    # The shop's own word, where there is one, stands above what the payment says of itself.
    "org.edx.coordinator.fulfillment.order_details.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.fulfillment.steps.PaymentMetadata",
            f"{_PLUGINS}.ecommerce.steps.LegacyOrderDetails",
        ],
    },
    # Before PayPal takes the money: what does the order cost? The buyer's browser may have named the amount.
    "org.edx.coordinator.paypal.price_owed.requested.v1": {
        "fail_silently": False,
        "pipeline": [f"{_PLUGINS}.ecommerce.steps.LegacyOrderDetails"],
    },
    # Of money that went back and that nobody told of: is it ours at all?
    "org.edx.coordinator.fulfillment.payment_owner.requested.v1": {
        "fail_silently": False,
        "pipeline": [f"{_PLUGINS}.stripe.steps.StripePaymentOwner"],
    },
    "org.edx.coordinator.order_history.order_history.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.ecommerce.steps.LegacyOrders",
            f"{_PLUGINS}.fulfillment.history.PlacedOrders",
        ],
    },
    "org.edx.coordinator.order_history.order_receipt.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.fulfillment.history.PaymentOfOrder",
            f"{_PLUGINS}.stripe.steps.StripeReceipt",
            f"{_PLUGINS}.paypal.steps.PayPalReceipt",
            f"{_PLUGINS}.ecommerce.steps.LegacyReceipt",
        ],
    },
    "org.edx.coordinator.lms.payment_page_redirect.requested.v1": {
        "fail_silently": False,
        "pipeline": [f"{_PLUGINS}.lms.steps.Storefront"],
    },
    "org.edx.coordinator.lms.order_details_page_redirect.requested.v1": {
        "fail_silently": False,
        "pipeline": [f"{_PLUGINS}.lms.steps.OrderDetailsPage"],
    },
    "org.edx.coordinator.lms.refund_eligibility.requested.v1": {
        "fail_silently": False,
        "pipeline": [f"{_PLUGINS}.fulfillment.steps.RefundEligibility"],
    },
}

#: Routes of the demo, added where its plugin is installed (local and test settings).
DEMO_SIGNALS: dict[str, list[str]] = {
    f"{_PLUGINS}.demo_lms.signals.test_signal": [
        f"{_PLUGINS}.demo_lms.receivers.test_receiver",
        f"{_PLUGINS}.demo_lms.receivers.test_receiver_exception",
    ],
    f"{_PLUGINS}.demo_lms.signals.test_celery_signal": [
        f"{_PLUGINS}.demo_lms.receivers.test_celery_signal_task",
    ],
    f"{_PLUGINS}.demo_lms.signals.demo_purchase_complete": [
        f"{_PLUGINS}.demo_lms.receivers.demo_purchase_complete_order_history",
        f"{_PLUGINS}.demo_lms.receivers.demo_purchase_complete_send_confirmation_email",
        f"{_PLUGINS}.demo_lms.receivers.demo_purchase_complete_enroll_in_course",
    ],
    f"{_PLUGINS}.demo_lms.signals.demo_enroll_in_course": [
        f"{_PLUGINS}.demo_lms.receivers.demo_enroll_learner",
    ],
}

#: Pipelines of the demo, added where its plugin is installed (local and test settings); each replaces the one of the
#: same filter.
DEMO_FILTERS: dict[str, dict[str, Any]] = {
    "org.edx.coordinator.demo_lms.sample_data.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.demo_lms.steps.SampleOrder",
            f"{_PLUGINS}.demo_lms.steps.SampleLines",
        ],
    },
    # What the storefront sold is in no payment of PayPal's.
    "org.edx.coordinator.fulfillment.order_details.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.fulfillment.steps.PaymentMetadata",
            f"{_PLUGINS}.ecommerce.steps.LegacyOrderDetails",
            f"{_PLUGINS}.demo_lms.steps.StorefrontOrders",
        ],
    },
    "org.edx.coordinator.paypal.price_owed.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.ecommerce.steps.LegacyOrderDetails",
            f"{_PLUGINS}.demo_lms.steps.StorefrontOrders",
        ],
    },
    "org.edx.coordinator.order_history.order_history.requested.v1": {
        "fail_silently": False,
        "pipeline": [
            f"{_PLUGINS}.ecommerce.steps.LegacyOrders",
            f"{_PLUGINS}.fulfillment.history.PlacedOrders",
            f"{_PLUGINS}.demo_lms.history_steps.OrdersFromOwnDispatches",
        ],
    },
}
