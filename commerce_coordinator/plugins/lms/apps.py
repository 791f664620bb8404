from typing import Any, ClassVar

from django.apps import AppConfig


class LmsConfig(AppConfig):
    name = "commerce_coordinator.plugins.lms"
    label = "lms"
    verbose_name = "LMS"
    default_auto_field = "django.db.models.BigAutoField"

    #: Neither URLs nor settings of its own.
    plugin_app: ClassVar[dict[str, Any]] = {}
