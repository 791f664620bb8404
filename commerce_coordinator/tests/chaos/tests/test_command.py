"""`make chaos` itself: bad input is answered in one line, and the short run that `make test-slow` knows."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from commerce_coordinator.console.supervisor import ROOT
from commerce_coordinator.tests.chaos import __main__ as command
from commerce_coordinator.tests.chaos import faults, servers
from commerce_coordinator.tests.service import until

#: Any will do; this one meets all targets: connections half-open, a worker frozen past its lease, servers killed.
SHORT_SEED = 1430

needs_servers = [pytest.mark.service, pytest.mark.needs_mariadbd, pytest.mark.needs_redis]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--seed=abc"], "SEED must be a whole number from 0 to 4294967295, not 'abc'."),
        (["--seed=-1"], "SEED must be"),
        (["--seed=99999999999"], "SEED must be"),
        (["--events=0"], "EVENTS must be a whole number from 1 to 100000, not '0'."),
        (["--events=1e3"], "EVENTS must be"),
        (["--events="], "EVENTS must be"),
        (["--minutes=0"], "MINUTES must be a number from 0.25 to 600, not '0'."),
        (["--minutes=nan"], "MINUTES must be"),
        (["--minutes=five"], "MINUTES must be"),
    ],
)
def test_bad_input_is_one_line_that_names_it(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(command.BadInput) as refused:
        command.read(arguments)
    assert str(refused.value).startswith(named)
    assert "\n" not in str(refused.value)


def test_seed_by_chance_is_told() -> None:
    assert 0 <= command.read([])["seed"] < 1_000_000


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(servers, "SERVER_FOLDERS", ())
    missing = servers.missing.__wrapped__()
    assert "apt install mariadb-server" in missing
    assert "apt install redis-server" in missing
    assert "\n" not in missing


class Run:
    """`make chaos` as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.output = folder / "output"
        self.folder = folder / "tmp"
        self.folder.mkdir(mode=0o711)
        folder.chmod(0o711)
        with self.output.open("w") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "commerce_coordinator.tests.chaos", *arguments],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(self.folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def processes(self) -> list[psutil.Process]:
        """All that it started, found in another way than its own."""
        return psutil.Process(self.popen.pid).children(recursive=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path that a database server may enter, whoever it runs as."""
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.parametrize("seed", [pytest.param(SHORT_SEED, marks=needs_servers)])
def test_a_minute_of_faults_loses_nothing_and_doubles_nothing(place: Path, seed: int) -> None:
    run = Run(place, f"--seed={seed}", "--events=120", "--minutes=0.75")
    try:
        code = run.popen.wait(400)
    finally:
        run.popen.kill()
    assert code == 0, run.said
    assert faults.described(faults.plan(seed, 45)) in run.said
    for fate, count in {"accepted": 120, "in effect": 120, "doubled": 0, "lost": 0, "dead": 0}.items():
        assert re.search(rf"^  {fate} +{count}$", run.said, re.MULTILINE), run.said
    assert list(run.folder.iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, marks=needs_servers),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, marks=needs_servers),
    ],
    ids=["Ctrl-C", "SIGKILL"],
)
def test_nothing_is_left_running_when_it_is_ended(place: Path, number: int, code: int) -> None:
    run = Run(place, "--seed=1", "--events=20", "--minutes=0.5")
    try:
        until(lambda: " accepted " in run.said or run.popen.poll() is not None, what="a start", seconds=100)
        started = run.processes()
        assert {"mariadbd", "redis-server", "celery", "gunicorn"} <= {each.name() for each in started}, run.said
        run.popen.send_signal(number)
        assert run.popen.wait(60) == code, run.said
        until(lambda: not [each for each in started if each.is_running()], what="all ended", seconds=30)
    finally:
        run.popen.kill()
