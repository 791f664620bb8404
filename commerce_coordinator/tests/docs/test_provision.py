"""local-provision-commerce-coordinator.sh may run any number of times, and says in a line what is wrong."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .pages import ROOT

SCRIPT = ROOT / "local-provision-commerce-coordinator.sh"

#: A docker whose one container is an LMS, and which writes down what it is asked to run there.
DOCKER = """#!/bin/sh
if [ "$1" = ps ]; then echo tutor_local-lms-1; exit; fi
shift 5
echo "$*" >>"$DOCKER_LOG"
"""


def _run(script: Path, folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "CC_", "LMS_"))}
    return subprocess.run(
        ["bash", str(script)],
        env={**inherited, "CC_DATA": str(folder / "data"), **env},
        capture_output=True,
        text=True,
        timeout=100,
    )


def _rows(folder: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "data" / "commerce_coordinator.sqlite3")) as database:
        users = database.execute("SELECT id, username, email, password FROM accounts_user").fetchall()
        clients = database.execute("SELECT id, client_id, secret_hash FROM demo_lms_standinclient").fetchall()
    return [users, clients]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder for the front of the PATH: no machine's own docker takes part."""
    folder = tmp_path / "bin"
    folder.mkdir()
    docker = folder / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    return folder


def test_script_is_valid_bash() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)


@pytest.mark.slow
def test_second_run_changes_nothing_and_an_lms_gets_its_clients_too(tmp_path: Path, tools: Path) -> None:
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    first = _run(SCRIPT, tmp_path, PATH=path)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "Database: up to date.",
        "Superuser: admin created.",
        "OAuth clients: commerce-coordinator-sso and commerce-coordinator-worker are in the stand-in LMS.",
    ]
    before = _rows(tmp_path)
    assert [len(rows) for rows in before] == [1, 2]

    (tools / "docker").write_text(DOCKER)
    log = tmp_path / "docker.log"
    second = _run(SCRIPT, tmp_path, PATH=path, DOCKER_LOG=str(log), LMS_SSO_SECRET="commerce-coordinator-sso-secret")
    assert (second.returncode, second.stderr) == (0, "")
    assert _rows(tmp_path) == before
    assert "Superuser: there is one, kept." in second.stdout.splitlines()
    # Both commands of the LMS may be repeated: manage_user always, create_dot_application by --update.
    user, sso, backend = log.read_text().splitlines()
    assert user.startswith("manage.py manage_user commerce_coordinator_worker ")
    for client in (sso, backend):
        assert client.startswith("manage.py create_dot_application --update ")
    assert "--grant-type authorization-code" in sso
    assert "--grant-type client-credentials --client-id commerce-coordinator-worker" in backend
    assert "secret" not in second.stdout.replace("Their secrets are", "")


def test_wrong_lms_manage_is_said_in_one_line_before_anything_is_done(tmp_path: Path) -> None:
    done = _run(SCRIPT, tmp_path, LMS_MANAGE="no-such-command lms")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "LMS_MANAGE begins with 'no-such-command'" in done.stderr
    assert not (tmp_path / "data").exists()


def test_python_without_django_is_told_the_remedy(tmp_path: Path, tools: Path) -> None:
    script = Path(shutil.copy(SCRIPT, tmp_path))
    python = tools / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = _run(script, tmp_path, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stderr.endswith("python3 has no Django. Run 'make requirements' first.\n")
