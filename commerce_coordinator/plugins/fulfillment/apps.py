from typing import Any, ClassVar

from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    name = "commerce_coordinator.plugins.fulfillment"
    label = "fulfillment"
    verbose_name = "Fulfillment"
    default_auto_field = "django.db.models.BigAutoField"

    #: What held an order, and what was refunded. The pages leave private columns out.
    readers_may = ("fulfillment.view_payment", "fulfillment.view_refund")
    #: Neither URLs nor settings of its own.
    plugin_app: ClassVar[dict[str, Any]] = {}
