from django.apps import AppConfig


class SignalsConfig(AppConfig):
    """Connects the map once all apps are loaded. It is the last word on nothing: `enforce()` is."""

    name = "commerce_coordinator.core.signals"
    label = "signals"
    verbose_name = "Signals"

    def ready(self) -> None:
        from django.core.checks import register

        from . import checks, registry, routes

        registry.load()
        routes.connect(routes.read())
        register(checks.check_map)
        register(checks.check_doubts)
