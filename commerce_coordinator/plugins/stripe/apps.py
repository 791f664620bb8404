from django.apps import AppConfig
from django.core.checks import register


class StripeConfig(AppConfig):
    name = "commerce_coordinator.plugins.stripe"
    label = "stripe"
    verbose_name = "Stripe"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "stripe", "regex": "^stripe/", "relative_path": "urls"}
        }
    }

    def ready(self) -> None:
        from .checks import check_settings

        register(check_settings)
