from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "commerce_coordinator.plugins.notifications"
    label = "notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {}
