"""Plugins bring their URLs by what their AppConfig says, so that `urls.py` names none of them."""

import types
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.urls import URLResolver, get_resolver

from commerce_coordinator.console import plugin_urls
from commerce_coordinator.console.plugin_urls import NAMESPACE, found

#: A package whose `urls` and `views` modules are there.
PACKAGE = "commerce_coordinator"


def said(**urls: Any) -> dict[str, Any]:
    return {"url_config": {NAMESPACE: urls}}


@pytest.fixture
def installed(monkeypatch):
    """`installed(plugin_app, ...)`: what is found when these are the installed apps' words."""

    def install(*words: Any, name: str = PACKAGE) -> Any:
        configs = [types.SimpleNamespace(name=name, **({} if each is ... else {"plugin_app": each})) for each in words]
        monkeypatch.setattr(plugin_urls.apps, "get_app_configs", lambda: configs)
        return list(found())

    return install


def test_urls_are_found_by_prefix_module_and_namespace(installed) -> None:
    words = said(namespace="shop", regex="^shop/", relative_path="urls")
    assert installed(words) == [("shop/", ("commerce_coordinator.urls", "shop"))]


def test_urls_module_is_called_urls_unless_said_otherwise(installed) -> None:
    assert installed(said(namespace="shop", regex="^shop/")) == [("shop/", ("commerce_coordinator.urls", "shop"))]
    other = said(namespace="shop", regex="^shop/", relative_path="console.views")
    assert installed(other) == [("shop/", ("commerce_coordinator.console.views", "shop"))]


@pytest.mark.parametrize("regex", ["^shop/v1/", "shop/v1/"])
def test_prefix_is_the_regex_without_its_anchor(installed, regex: str) -> None:
    [(prefix, _)] = installed(said(namespace="shop", regex=regex))
    assert prefix == "shop/v1/"


def test_plugin_without_a_prefix_is_at_the_root(installed) -> None:
    [(prefix, _)] = installed(said(namespace="shop"))
    assert prefix == ""


@pytest.mark.parametrize(
    "words",
    [..., {}, {"url_config": {}}, {"settings_config": {}}, {"url_config": {"lms.djangoapp": {"namespace": "shop"}}}],
    ids=["no plugin", "says nothing", "no URLs", "settings alone", "URLs of another project"],
)
def test_app_that_brings_no_urls_is_passed_over(installed, words: Any) -> None:
    assert installed(words) == []


def test_plugin_whose_urls_module_is_missing_is_passed_over(installed) -> None:
    words = said(namespace="shop", relative_path="no_such_module")
    assert installed(words, said(namespace="other")) == [("", ("commerce_coordinator.urls", "other"))]


def test_plugins_come_in_the_order_of_installed_apps(installed) -> None:
    found_in_order = installed(said(namespace="b"), ..., said(namespace="a"))
    assert [namespace for _, (_, namespace) in found_in_order] == ["b", "a"]


def test_every_installed_plugin_with_urls_is_mounted() -> None:
    mounted = {
        (str(each.pattern), each.namespace) for each in get_resolver().url_patterns if isinstance(each, URLResolver)
    }
    assert {(prefix, namespace) for prefix, (_, namespace) in found()} <= mounted


def test_no_url_of_a_plugin_is_there_but_by_its_own_word() -> None:
    plugins = {config.name for config in apps.get_app_configs() if hasattr(config, "plugin_app")}
    told = {module.rpartition(".")[0] for _, (module, _) in found()}
    assert told <= plugins


def test_namespaces_and_prefixes_do_not_clash() -> None:
    mounted = list(found())
    assert len({prefix for prefix, _ in mounted}) == len(mounted)
    assert len({namespace for _, (_, namespace) in mounted}) == len(mounted)


def test_shipped_plugins_speak_the_shape_of_edx_django_utils() -> None:
    for config in apps.get_app_configs():
        assert isinstance(config, AppConfig)
        assert isinstance(getattr(config, "plugin_app", {}), dict)
