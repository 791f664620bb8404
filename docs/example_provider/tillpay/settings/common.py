"""What the plugin brings along: its settings, without a secret, and who gets its signals."""

import os
from typing import Any

FULFILLMENT = "commerce_coordinator.plugins.fulfillment.tasks"
REFUND_REQUESTED = "commerce_coordinator.plugins.lms.signals.refund_requested"
RECEIPT = "org.edx.coordinator.order_history.order_receipt.requested.v1"


def plugin_settings(settings: Any) -> None:
    """Called while the service reads its settings; an operator's file comes later and has the last word."""
    settings.TILLPAY_SECRET = os.environ.get("TILLPAY_SECRET", "")
    settings.TILLPAY_API_KEY = os.environ.get("TILLPAY_API_KEY", "")
    settings.TILLPAY_URL = os.environ.get("TILLPAY_URL", "https://api.tillpay.example.com")
    settings.TILLPAY_LIVE = os.environ.get("TILLPAY_LIVE", "") == "1"
    settings.CC_SIGNALS.update(
        {
            "tillpay.signals.payment_captured": [f"{FULFILLMENT}.place_order"],
            "tillpay.signals.payment_refunded": [f"{FULFILLMENT}.take_back_order"],
        }
    )
    # Behind the other providers' tasks and steps: each leaves alone what is not its own.
    settings.CC_SIGNALS[REFUND_REQUESTED].append("tillpay.tasks.refund_payment")
    settings.OPEN_EDX_FILTERS_CONFIG[RECEIPT]["pipeline"].append("tillpay.steps.Receipt")
