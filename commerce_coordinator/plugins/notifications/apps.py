from typing import Any, ClassVar

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "commerce_coordinator.plugins.notifications"
    label = "notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"

    #: Neither URLs nor settings of its own.
    plugin_app: ClassVar[dict[str, Any]] = {}
