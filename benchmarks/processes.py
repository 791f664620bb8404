"""Memory and start-up time of what `make run` starts: web, worker, relay, and the supervisor over them."""

import argparse
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import requests

from commerce_coordinator.console.supervisor import ROOT, Instance, answers, free_port
from commerce_coordinator.tests.service import until

from .rig import median

NAMES = ("supervisor", "web", "worker", "relay")


def measure(folder: Path, rounds: int = 3) -> dict[str, dict[str, float]]:
    """{process: {pss, rss in MB with its children; start in seconds, alone on the machine}}; medians."""
    found = [_round(folder / f"instance-{number}") for number in range(rounds)]
    return {
        name: {figure: median([each[name][figure] for each in found]) for figure in found[0][name]} for name in NAMES
    }


def _round(data: Path) -> dict[str, dict[str, float]]:
    starts = _starts(data)
    memory = _memory(data)
    return {name: {**memory[name], "start": starts[name]} for name in NAMES}


def _starts(data: Path) -> dict[str, float]:
    """Seconds from starting each, one after the other, until it does its work."""
    log: list[str] = []
    instance = Instance(data=data, port=free_port(), sink=lambda name, line: log.append(line))
    instance.take_folder()
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=instance.env, check=True)
    ready: dict[str, Callable[[], bool]] = {
        "web": lambda: answers(f"http://127.0.0.1:{instance.port}/health/"),
        "worker": lambda: any(" ready." in line for line in log),
        "relay": lambda: _has_beaten(data / "commerce_coordinator.sqlite3"),
    }
    found = {}
    try:
        for name, is_ready in ready.items():
            started = time.perf_counter()
            instance.start([name])
            until(is_ready, what=f"{name} works", seconds=60)
            found[name] = time.perf_counter() - started
    finally:
        instance.stop()
    return found | {"supervisor": _start_of_all(data)}


def _start_of_all(data: Path) -> float:
    """Seconds from `manage.py run` until its web process answers: migrations looked at, all three started at once."""
    started = time.perf_counter()
    with _Run(data) as run:
        until(lambda: answers(run.url), what="the web process answers", seconds=60)
        return time.perf_counter() - started


def _has_beaten(database: Path) -> bool:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return bool(connection.execute("SELECT 1 FROM deliveries_heartbeat WHERE name = 'relay'").fetchone())


def _memory(data: Path) -> dict[str, dict[str, float]]:
    """Of each with its children, after some requests: what has done nothing yet is smaller than at work."""
    with _Run(data) as run:
        until(lambda: answers(run.url), what="the web process answers", seconds=60)
        children = until(lambda: run.children(), what="web, worker and relay run", seconds=60)
        for _ in range(20):
            requests.get(run.url, timeout=10)
        time.sleep(5)  # the worker forks its pool, the relay makes its first rounds
        found = {name: _megabytes([each, *each.children(recursive=True)]) for name, each in children.items()}
        return found | {"supervisor": _megabytes([run.process])}


def _megabytes(processes: list[psutil.Process]) -> dict[str, float]:
    """PSS shares what several of them use among them; RSS counts it for each."""
    counted = [each.memory_full_info() for each in processes]
    return {"pss": sum(each.pss for each in counted) / 1e6, "rss": sum(each.rss for each in counted) / 1e6}


class _Run:
    """`manage.py run`, as `make run` starts it."""

    def __init__(self, data: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/health/"
        command = [sys.executable, "manage.py", "run", "--port", str(port), "--data", str(data)]
        self._popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = psutil.Process(self._popen.pid)

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.terminate()
        self._popen.wait(30)

    def children(self) -> Mapping[str, psutil.Process] | None:
        """By name; None while one of them is not there yet."""
        marks = {"web": "gunicorn", "worker": "celery", "relay": "relay"}
        running = {each: " ".join(each.cmdline()) for each in self.process.children()}
        found = {name: each for name, mark in marks.items() for each, line in running.items() if mark in line}
        return found if len(found) == len(marks) else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Any] = measure(Path(folder), arguments.rounds)
        for name, each in found.items():
            print(f"{name:10} {each['pss']:.0f} MB PSS ({each['rss']:.0f} MB RSS), starts in {each['start']:.1f} s")


if __name__ == "__main__":
    main()
