from typing import Any, ClassVar

from django.apps import AppConfig


class EcommerceConfig(AppConfig):
    name = "commerce_coordinator.plugins.ecommerce"
    label = "ecommerce"
    verbose_name = "Ecommerce"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app: ClassVar[dict[str, Any]] = {
        "url_config": {
            "commerce_coordinator.djangoapp": {
                "namespace": "ecommerce",
                "regex": "^ecommerce/",
                "relative_path": "urls",
            }
        }
    }
