"""`manage.py run`: the whole service in one terminal. `make run` calls it."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console.supervisor import CannotStart, Instance

COLORS = {"web": "36", "worker": "33", "relay": "35", "run": "32"}


class Command(BaseCommand):
    help = (
        "Start web, worker and relay in this terminal, on a laptop: SQLite, the embedded broker and the stand-in LMS, "
        "all in one data folder. Ctrl-C stops all three. For production see docs/operating."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("CC_PORT", "8140")), help="default 8140")
        parser.add_argument(
            "--data", default=os.environ.get("CC_DATA", "data"), help="the folder for all it writes (default ./data)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not hasattr(settings, "DATA_FOLDER"):
            raise CommandError("`run` is for laptops: use the settings commerce_coordinator.settings.local.")
        data = Path(options["data"]).resolve()
        if data != settings.DATA_FOLDER:
            # Settings are read once, at start, and name the folder: begin anew with the right one.
            os.environ.update(CC_DATA=str(data), CC_PORT=str(options["port"]))
            os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606
        self._colored = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._print_lock = threading.Lock()
        instance = Instance(data=data, port=options["port"], sink=self._line)
        try:
            instance.take_folder()
            instance.check_port()
            self._prepare()
            self._run(instance)
        except CannotStart as error:
            raise CommandError(str(error)) from None

    def _prepare(self) -> None:
        self._line("run", "preparing: database, static files, stand-in LMS")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        if "provision_stand_in" in get_commands():
            call_command("provision_stand_in", verbosity=0)
        users = get_user_model()._default_manager
        if not users.filter(is_superuser=True).exists():
            users.create_superuser("admin", "admin@localhost", "admin")

    def _run(self, instance: Instance) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        try:
            instance.start()
            instance.wait_until_ready(stop=stop)
            if stop.is_set():
                return
            self._line("run", f"open {instance.url}/ (admin: {instance.url}/admin/ as admin, admin). Ctrl-C stops it.")
            instance.watch(stop, self._line)
        finally:
            self._line("run", "stopping")
            instance.stop()
            self._line("run", "stopped")

    def _line(self, name: str, line: str) -> None:
        prefix = f"{name:<6} |"
        if self._colored:
            prefix = f"\x1b[{COLORS[name]}m{prefix}\x1b[0m"
        with self._print_lock:
            self.stdout.write(f"{prefix} {line}")
            self.stdout.flush()
