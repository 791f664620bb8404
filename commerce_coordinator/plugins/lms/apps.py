from django.apps import AppConfig


class LmsConfig(AppConfig):
    name = "commerce_coordinator.plugins.lms"
    label = "lms"
    verbose_name = "LMS"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {}
