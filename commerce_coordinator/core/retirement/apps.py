from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RetirementConfig(AppConfig):
    name = "commerce_coordinator.core.retirement"
    label = "retirement"
    verbose_name = "Retirement"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import bodies, stories  # noqa: F401 - they register themselves

        autodiscover_modules("retirement")
