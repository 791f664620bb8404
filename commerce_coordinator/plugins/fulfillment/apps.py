from django.apps import AppConfig


class FulfillmentConfig(AppConfig):
    name = "commerce_coordinator.plugins.fulfillment"
    label = "fulfillment"
    verbose_name = "Fulfillment"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {}
