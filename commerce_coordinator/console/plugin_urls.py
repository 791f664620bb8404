"""URLs of plugins, read from the `plugin_app` dict of every installed app.

edx_django_utils.plugins reads that dict only for plugins from entry points; shipped plugins are simply installed, and
these few lines read the same dict for all of them.
"""

from collections.abc import Iterator
from importlib.util import find_spec

from django.apps import apps
from edx_django_utils.plugins import PluginURLs

NAMESPACE = "commerce_coordinator.djangoapp"


def found() -> Iterator[tuple[str, tuple[str, str]]]:
    """(URL prefix, (module, namespace)) of each plugin that has URLs. The dict's `regex` is a plain prefix here."""
    for config in apps.get_app_configs():
        urls = getattr(config, "plugin_app", {}).get(PluginURLs.CONFIG, {}).get(NAMESPACE)
        if not urls:
            continue
        module = f"{config.name}.{urls.get(PluginURLs.RELATIVE_PATH, 'urls')}"
        if find_spec(module):
            yield urls.get(PluginURLs.REGEX, "").lstrip("^"), (module, urls[PluginURLs.NAMESPACE])
