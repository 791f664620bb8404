"""The one map: which receivers get which signal.

An operator's YAML (COMMERCE_COORDINATOR_CFG) replaces it signal by signal; `manage.py routes` prints the result.
"""

_PLUGINS = "commerce_coordinator.plugins"

CC_SIGNALS: dict[str, list[str]] = {
    f"{_PLUGINS}.stripe.signals.payment_captured": [
        f"{_PLUGINS}.fulfillment.tasks.place_order",
    ],
    f"{_PLUGINS}.fulfillment.signals.order_placed": [
        f"{_PLUGINS}.fulfillment.tasks.request_enrollments",
        f"{_PLUGINS}.notifications.tasks.send_order_confirmation",
    ],
    f"{_PLUGINS}.fulfillment.signals.enrollment_requested": [
        f"{_PLUGINS}.lms.tasks.enroll_learner",
    ],
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
