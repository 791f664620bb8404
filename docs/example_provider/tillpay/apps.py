from django.apps import AppConfig


class TillpayConfig(AppConfig):
    name = "tillpay"
    verbose_name = "Tillpay"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "tillpay", "regex": "^tillpay/", "relative_path": "urls"}
        },
        "settings_config": {"commerce_coordinator.djangoapp": {"common": {"relative_path": "settings.common"}}},
    }
