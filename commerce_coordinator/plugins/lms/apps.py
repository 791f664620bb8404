from django.apps import AppConfig
from django.core.checks import register


class LmsConfig(AppConfig):
    name = "commerce_coordinator.plugins.lms"
    label = "lms"
    verbose_name = "LMS"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "lms", "regex": "^lms/", "relative_path": "urls"}
        }
    }

    def ready(self) -> None:
        from .checks import check_redirects

        register(check_redirects)
