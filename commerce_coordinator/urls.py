"""Where everything is. Plugins bring their own URLs, so none is named here."""

from django.contrib import admin
from django.urls import include, path

from commerce_coordinator.console import api_docs, plugin_urls
from commerce_coordinator.console.views import health, index
from commerce_coordinator.core.rest.csrf import TokenView

handler400 = "commerce_coordinator.core.rest.errors.bad_request"
handler403 = "commerce_coordinator.core.rest.errors.permission_denied"
handler404 = "commerce_coordinator.core.rest.errors.not_found"
handler500 = "commerce_coordinator.core.rest.errors.server_error"

urlpatterns = [
    path("", index, name="index"),
    path("health/", health, name="health"),
    path("admin/", include("commerce_coordinator.console.admin.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("commerce_coordinator.console.api.urls")),
    path("", include("commerce_coordinator.accounts.urls")),
    path("api-docs/", api_docs.page, name="api_docs"),
    path("api-docs/schema/", api_docs.schema, name="api_schema"),
    path("csrf/api/v1/token", TokenView.as_view(), name="csrf_token"),
    *(path(prefix, include(module)) for prefix, module in plugin_urls.found()),
]
