from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "commerce_coordinator.accounts"
    label = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib import admin

        # The document of the REST endpoints knows our ways to authenticate only once they are told.
        import commerce_coordinator.core.rest.openapi  # noqa: F401

        admin.site.login_template = "accounts/admin_login.html"
