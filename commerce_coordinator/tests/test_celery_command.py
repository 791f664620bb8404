"""`manage.py celery`: one worker, started anew when files change, and gone when the command is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from commerce_coordinator.console.supervisor import ROOT

from .service import until


@pytest.mark.parametrize(
    "how",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
    ids=lambda how: how.name,
)
def test_worker_starts_anew_when_a_file_changes_and_ends_with_the_command(tmp_path: Path, how: signal.Signals) -> None:
    module = tmp_path / "plugin_in_the_making.py"
    module.write_text("x = 1")
    settings = tmp_path / "settings_in_the_making.py"
    settings.write_text("from commerce_coordinator.settings.local import *\nimport plugin_in_the_making\n")
    log = (tmp_path / "log").open("w+")
    env = {
        **os.environ,
        "CC_DATA": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": settings.stem,
        "PYTHONPATH": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }
    command = subprocess.Popen(
        [sys.executable, "manage.py", "celery"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
    )

    def ready(times: int) -> bool:
        return (tmp_path / "log").read_text().count(" ready.") == times

    try:
        until(lambda: ready(1), what="a worker")
        if how is signal.SIGINT:
            os.utime(module, (1, 1))
            until(lambda: ready(2), what="a second worker, after the change")
        workers = psutil.Process(command.pid).children(recursive=True)
        assert workers
        command.send_signal(how)
        assert command.wait(40) == 0
        assert not [each for each in workers if each.is_running()]
    finally:
        if command.poll() is None:
            command.kill()
        log.close()
