from django.apps import AppConfig


class BookshopConfig(AppConfig):
    name = "bookshop"
    verbose_name = "Bookshop"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "bookshop", "regex": "^bookshop/", "relative_path": "urls"}
        },
        "settings_config": {"commerce_coordinator.djangoapp": {"common": {"relative_path": "settings.common"}}},
    }
