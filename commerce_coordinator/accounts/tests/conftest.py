import types
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.permissions import IsLearner


class WhoAmI(APIView):
    permission_classes = [IsLearner]

    def get(self, request: Any) -> Response:
        return Response({"username": request.user.username, "staff": request.user.is_staff})

    post = get


@pytest.fixture
def whoami() -> Iterator[str]:
    """The path of an endpoint that tells who calls."""
    usual = import_module(settings.ROOT_URLCONF)
    module = types.ModuleType("urls_of_a_test")
    vars(module).update({name: value for name, value in vars(usual).items() if name.startswith("handler")})
    module.urlpatterns = [path("whoami/", WhoAmI.as_view()), *usual.urlpatterns]  # type: ignore[attr-defined]
    cache.clear()
    with override_settings(ROOT_URLCONF=module):
        yield "/whoami/"
    cache.clear()
