from django.apps import AppConfig


class DemoLmsConfig(AppConfig):
    name = "commerce_coordinator.plugins.demo_lms"
    label = "demo_lms"
    verbose_name = "Demo LMS"
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {
        "url_config": {
            "commerce_coordinator.djangoapp": {"namespace": "demo_lms", "regex": "^demo_lms/", "relative_path": "urls"}
        }
    }
