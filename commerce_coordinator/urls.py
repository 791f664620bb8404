"""Where everything is. Plugins bring their own URLs, so none is named here."""

from django.contrib import admin
from django.urls import include, path

from commerce_coordinator.console import plugin_urls
from commerce_coordinator.console.views import health, index

urlpatterns = [
    path("", index, name="index"),
    path("health/", health, name="health"),
    path("admin/", admin.site.urls),
    *(path(prefix, include(module)) for prefix, module in plugin_urls.found()),
]
