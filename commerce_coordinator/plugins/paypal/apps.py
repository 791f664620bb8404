from django.apps import AppConfig
from django.core.checks import register


class PayPalConfig(AppConfig):
    name = "commerce_coordinator.plugins.paypal"
    label = "paypal"
    verbose_name = "PayPal"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "paypal", "regex": "^paypal/", "relative_path": "urls"}
        }
    }

    def ready(self) -> None:
        from .checks import check_accounts

        register(check_accounts)
