"""Any plugin can be removed from the settings together with its routes: the service starts, the others' tests pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commerce_coordinator.console.supervisor import ROOT

PLUGINS = sorted(path.parent.name for path in (ROOT / "commerce_coordinator" / "plugins").glob("*/apps.py"))


#: Where a plugin can be missed.
WITH_PLUGINS = [f"commerce_coordinator/{room}" for room in ("accounts", "console", "payloads", "plugins", "settings")]

#: Long ones that are about one plugin alone.
LEFT_OUT = "not test_contract and not test_every_type and not test_hostile and not test_every_order"


def run_without(plugin: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name != "CC_REQUIRE_SERVICES"},
            "CC_WITHOUT_PLUGINS": plugin,
            "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.test",
            "CC_DATA": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=480,
    )


def test_all_plugins_are_known() -> None:
    assert {"demo_lms", "fulfillment", "lms", "notifications", "paypal", "stripe"} <= set(PLUGINS)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_service_starts_without(plugin: str, tmp_path: Path) -> None:
    started = run_without(
        plugin,
        tmp_path,
        "-W",
        "error",
        "-W",
        "ignore:defusedxml.cElementTree is deprecated:DeprecationWarning",  # openid's, see tox.ini
        "-W",
        "ignore:Python 3.11 support is deprecated:DeprecationWarning",  # openedx_filters', see tox.ini
        "-c",
        "from commerce_coordinator.wsgi import application;"
        "from django.apps import apps;"
        "from django.test import Client;"
        f"assert not apps.is_installed('commerce_coordinator.plugins.{plugin}');"
        "print(Client().get('/').status_code)",
    )
    assert (started.returncode, started.stdout.strip()) == (0, "200"), started.stderr


def test_a_plugin_takes_its_filters_and_its_steps_along(tmp_path: Path) -> None:
    code = (
        "from commerce_coordinator.settings.test import OPEN_EDX_FILTERS_CONFIG as config;"
        "print([each for each in config if '.demo_lms.' in each + str(config[each])])"
    )
    with_it, without_it = (run_without(plugin, tmp_path, "-c", code) for plugin in ("", "demo_lms"))
    assert (with_it.returncode, without_it.returncode) == (0, 0), with_it.stderr + without_it.stderr
    assert "org.edx.coordinator.demo_lms.sample_data.requested.v1" in with_it.stdout
    assert without_it.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_other_tests_pass_without(plugin: str, tmp_path: Path) -> None:
    # `service` would need MariaDB and Redis, which change nothing here. The engine knows no plugin: import-linter.
    done = run_without(
        plugin,
        tmp_path,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not slow and not service",
        *WITH_PLUGINS,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 200
