"""A few endpoints, and the URLs they stand under for one test."""

import types
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from django.urls import path
from rest_framework import serializers
from rest_framework.views import APIView


@pytest.fixture(autouse=True)
def counted_afresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def mount() -> Iterator[Callable[[type[APIView]], str]]:
    """`mount(View)` puts it under /t/ and gives that path."""
    usual = import_module(settings.ROOT_URLCONF)
    taken: list[Any] = []

    def put(view: type[APIView]) -> str:
        module = types.ModuleType("urls_of_a_test")
        vars(module).update({name: value for name, value in vars(usual).items() if name.startswith("handler")})
        module.urlpatterns = [path("t/", view.as_view()), *usual.urlpatterns]  # type: ignore[attr-defined]
        change = override_settings(ROOT_URLCONF=module)
        change.enable()
        taken.append(change)
        return "/t/"

    yield put
    for change in reversed(taken):
        change.disable()


class Wish(serializers.Serializer):
    sku = serializers.CharField(max_length=10)
    count = serializers.IntegerField(min_value=1, max_value=9)
