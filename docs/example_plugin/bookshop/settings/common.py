"""What the plugin brings along: its settings, without a secret, its default routes and pipelines."""

import os
from typing import Any


def plugin_settings(settings: Any) -> None:
    """Called while the service reads its settings; an operator's file comes later and has the last word."""
    settings.BOOKSHOP_SECRET = os.environ.get("BOOKSHOP_SECRET", "")
    settings.BOOKSHOP_WAREHOUSE_URL = os.environ.get("BOOKSHOP_WAREHOUSE_URL", "")
    settings.CC_SIGNALS.update(
        {
            "bookshop.signals.book_ordered": ["bookshop.tasks.ship_book"],
            "bookshop.signals.book_shipped": ["bookshop.receivers.note_parcel"],
        }
    )
    settings.OPEN_EDX_FILTERS_CONFIG["org.edx.coordinator.bookshop.shipping_price.requested.v1"] = {
        "fail_silently": False,
        "pipeline": ["bookshop.steps.PriceList"],
    }
