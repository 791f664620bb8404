from typing import Any, ClassVar

from django.apps import AppConfig


class OrderHistoryConfig(AppConfig):
    name = "commerce_coordinator.plugins.order_history"
    label = "order_history"
    verbose_name = "Order history"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, Any]] = {
        "url_config": {
            "commerce_coordinator.djangoapp": {
                "namespace": "order_history",
                "regex": "^orders/",
                "relative_path": "urls",
            }
        }
    }
