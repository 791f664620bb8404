from typing import Any, ClassVar

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "commerce_coordinator.plugins.notifications"
    label = "notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"

    #: Its pages are the admin's, and its settings are the service's: neither is brought along.
    plugin_app: ClassVar[dict[str, Any]] = {}

    def ready(self) -> None:
        from django.core.checks import register

        from . import checks

        register(checks.check_mail_settings)
