"""Nothing starts on a wrong map: each way in is a process of its own, and ends by itself with the whole list."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from commerce_coordinator.core import signals

ROOT = Path(signals.__file__).parents[3]
PATIENCE = 60  # seconds until a process that does not end is a failure

WRONG = """
from commerce_coordinator.settings.test import *

CC_SIGNALS = {
    **CC_SIGNALS,
    "no_such_shop.signals.seat_sold": [],
    "commerce_coordinator.celery.app": [],
    "no_such_shop.signals.seat_given": "no_such_shop.tasks.print_ticket",
}
OPEN_EDX_FILTERS_CONFIG = {
    **OPEN_EDX_FILTERS_CONFIG,
    "org.edx.coordinator.no_such_shop.price.requested.v1": {"fail_silently": False, "pipeline": []},
}
SILENCED_SYSTEM_CHECKS = ["cc.E001", "cc.E002", "cc.E009", "cc.E019"]
"""
RIGHT = "from commerce_coordinator.settings.test import *"

MISTAKES = [
    "cc.E001: no_such_shop.signals.seat_sold does not resolve",
    "cc.E002: commerce_coordinator.celery.app is no CoordinatorSignal",
    "cc.E001: no_such_shop.signals.seat_given does not resolve",
    "cc.E009: no_such_shop.signals.seat_given is not mapped to a list",
    "cc.E019: org.edx.coordinator.no_such_shop.price.requested.v1 is a pipeline that nobody runs",
]

WAYS_IN = {
    # 3: gunicorn gives up on it; at any other code it starts worker after worker.
    "gunicorn": (3, ["-c", "import commerce_coordinator.wsgi"]),
    "an asynchronous server": (3, ["-c", "import commerce_coordinator.asgi"]),
    "a worker": (1, ["-m", "celery", "-A", "commerce_coordinator", "worker", "--pool=solo"]),
    # Without Django's own check at its start, which says the same as `manage.py check` below.
    "a relay": (1, ["manage.py", "relay", "--once", "--skip-checks"]),
}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("settings")
    (folder / "wrong_settings.py").write_text(WRONG)
    (folder / "right_settings.py").write_text(RIGHT)

    def run(*arguments, settings):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CC_DATA", "PYTEST"))}
        environment.update(
            DJANGO_SETTINGS_MODULE=settings,
            PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)]),
            CC_DATA=str(folder / "data"),
        )
        return subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.mark.parametrize(("code", "arguments"), WAYS_IN.values(), ids=WAYS_IN.keys())
def test_a_wrong_map_does_not_start(start, code, arguments):
    ended = start(*arguments, settings="wrong_settings")
    assert ended.returncode == code
    assert "The map has 5 mistakes; nothing starts until it is mended." in ended.stderr
    assert [mistake for mistake in MISTAKES if mistake not in ended.stderr] == []
    assert ended.stderr.count("HINT: ") == 5


def test_djangos_check_lists_all_mistakes_of_a_wrong_map(start):
    ended = start("manage.py", "check", settings="wrong_settings")
    assert ended.returncode != 0
    listed = [mistake.replace("cc.", "(cc.").replace(":", ")", 1) for mistake in MISTAKES]
    assert [mistake for mistake in listed if mistake not in ended.stderr] == []
    assert "5 issues (0 silenced)" in ended.stderr


def test_a_right_map_starts(start):
    modules = "import commerce_coordinator.wsgi as w, commerce_coordinator.asgi as a"
    ended = start("-c", f"{modules}; print(type(w.application), type(a.application))", settings="right_settings")
    assert ended.returncode == 0, ended.stderr
    assert "WSGIHandler" in ended.stdout and "ASGIHandler" in ended.stdout
