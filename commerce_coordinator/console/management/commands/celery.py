"""`manage.py celery`: a worker that starts anew when Python files change. For development."""

import atexit
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import autoreload


class Command(BaseCommand):
    help = (
        "Start a Celery worker that reloads itself when Python files change. For development; production runs celery."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="worker processes (default 2)")
        parser.add_argument("--no-reload", action="store_true", help="do not watch files")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["no_reload"]:
            sys.exit(_worker(options["concurrency"]).wait())
        self.stdout.write("Starting a worker that reloads when Python files change. Ctrl-C stops it.")
        autoreload.run_with_reloader(lambda: _run(options["concurrency"]))


def _run(concurrency: int) -> None:
    """Run in the reloader's child, which exits when a file changed, or at Ctrl-C; the worker goes with it."""
    worker = _worker(concurrency)
    atexit.register(_stop, worker)
    worker.wait()


def _worker(concurrency: int) -> "subprocess.Popen[bytes]":
    command = [str(Path(sys.executable).parent / "celery"), "-A", "commerce_coordinator", "worker", "-P", "prefork"]
    command += ["-c", str(concurrency), "--without-gossip", "--without-mingle"]
    # A session of its own: Ctrl-C is for the reloader, which then ends the worker once and cleanly.
    return subprocess.Popen(
        command, env={**os.environ, "CC_ROLE": "worker", "REMAP_SIGTERM": "SIGQUIT"}, start_new_session=True
    )


def _stop(worker: "subprocess.Popen[bytes]") -> None:
    if worker.poll() is None:
        worker.terminate()
        try:
            worker.wait(30)
        except subprocess.TimeoutExpired:
            worker.kill()
