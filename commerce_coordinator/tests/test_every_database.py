"""The tests marked `database` once more, on MariaDB."""

import os
import re
import subprocess
import sys

import pytest

from commerce_coordinator.console.supervisor import ROOT

from .service import mariadb_database

#: Fewer would mean that the marker got lost.
LEAST = 60


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.needs_mariadb
@pytest.mark.timeout(300)
def test_engine_keeps_its_promises_on_mariadb_too() -> None:
    with mariadb_database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "database and not slow", "-p", "no:cacheprovider"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= LEAST
    assert "skipped" not in done.stdout.splitlines()[-1]
