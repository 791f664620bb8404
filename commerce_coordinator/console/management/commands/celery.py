"""`manage.py celery`: a worker that starts anew when Python files change. For development."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import autoreload

#: Seconds between two looks at the files.
LOOK_EVERY = 1.0

#: Seconds that a worker gets to end by itself; what it runs is taken back by its lease.
PATIENCE = 30


class Command(BaseCommand):
    help = (
        "Start a Celery worker that reloads itself when Python files change. For development; production runs celery."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="worker processes (default 2)")
        parser.add_argument("--no-reload", action="store_true", help="do not watch files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["concurrency"] < 1:
            raise CommandError("--concurrency must be 1 or more.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        if options["no_reload"]:
            sys.exit(self._run(options["concurrency"], stop, watch=False))
        self.stdout.write("Starting a worker that reloads when Python files change. Ctrl-C stops it.")
        sys.exit(self._run(options["concurrency"], stop, watch=True))

    def _run(self, concurrency: int, stop: threading.Event, *, watch: bool) -> int:
        """Keep a worker running until `stop` is set; without `watch`, or once it ended by itself, until that."""
        seen = _times()
        worker = _start(concurrency)
        try:
            while not stop.wait(LOOK_EVERY):
                now = _times() if watch else seen
                if now != seen:
                    changed = next((path.name for path in {**seen, **now} if seen.get(path) != now.get(path)), "")
                    seen = now
                    self.stdout.write(f"{changed} changed; the worker starts anew.")
                    _end(worker)
                    worker = _start(concurrency)
                elif worker.poll() is not None and not watch:
                    return worker.returncode
                # One that ended while files are watched, by a slip of the pen say, waits for the next change.
        finally:
            _end(worker)
        return 0


def _times() -> dict[Path, float]:
    """When each Python file of the loaded modules was changed (Unix seconds)."""
    times = {}
    for path in autoreload.iter_all_python_module_files():
        try:
            times[path] = path.stat().st_mtime
        except OSError:  # an editor replaces it just now
            continue
    return times


def _start(concurrency: int) -> "subprocess.Popen[bytes]":
    command = [str(Path(sys.executable).parent / "celery"), "-A", "commerce_coordinator", "worker", "-P", "prefork"]
    command += ["-c", str(concurrency), "--without-gossip", "--without-mingle"]
    # A session of its own: Ctrl-C is for us, and we end the worker once and cleanly.
    return subprocess.Popen(
        command, env={**os.environ, "CC_ROLE": "worker", "REMAP_SIGTERM": "SIGQUIT"}, start_new_session=True
    )


def _end(worker: "subprocess.Popen[bytes]") -> None:
    """Returns when it has ended: a folder of the embedded broker has one worker at a time."""
    if worker.poll() is None:
        worker.terminate()
    try:
        worker.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
