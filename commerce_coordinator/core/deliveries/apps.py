from django.apps import AppConfig


class DeliveriesConfig(AppConfig):
    name = "commerce_coordinator.core.deliveries"
    label = "deliveries"
    verbose_name = "Deliveries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from commerce_coordinator.core.telemetry.switch import switch_on

        switch_on()
