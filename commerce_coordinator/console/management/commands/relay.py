"""`manage.py relay`: the process that publishes what is due and takes back expired leases."""

import logging
import math
import os
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from commerce_coordinator.core.chores import run_due_chores
from commerce_coordinator.core.deliveries.relay import Relay
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals.checks import enforce
from commerce_coordinator.core.transactions import has_no_tables

logger = logging.getLogger(__name__)

#: After a failure of the database the relay waits this long, in seconds, doubling up to the last.
_PAUSES = (1, 2, 4, 8, 15)


class Command(BaseCommand):
    help = (
        "Publish due deliveries, take back the leases of workers that died, run the chores. Keep one running always; "
        "two may run side by side. Stops at SIGTERM or Ctrl-C after the round it is in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then exit")
        parser.add_argument(
            "--interval",
            type=float,
            default=settings.CC_RELAY_INTERVAL,
            help="seconds between rounds (CC_RELAY_INTERVAL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (math.isfinite(options["interval"]) and options["interval"] > 0):
            raise CommandError("--interval must be a number of seconds above 0.")
        try:
            enforce()
        except WrongMap as wrong:
            raise CommandError(str(wrong)) from None
        if options["once"]:
            Relay().tick()
            run_due_chores()
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        logger.info("Relay started.", extra={"interval": options["interval"], "pid": os.getpid()})
        run(stop, options["interval"])
        logger.info("Relay stopped.")


def run(stop: threading.Event, interval: float) -> None:
    """Rounds until `stop` is set. A database that is away is waited for, not died of."""
    relay, failures = Relay(), 0
    while not stop.is_set():
        pause = interval
        try:
            close_old_connections()
            more = relay.tick()
            run_due_chores()
            failures = 0
            pause = 0 if more else interval
        except (DatabaseError, InterfaceError) as error:
            if has_no_tables(error):
                raise
            pause = max(interval, _PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1
            logger.error(
                "The database is away; the relay tries again.",
                extra={"error_class": type(error).__name__, "pause": pause},
            )
            connection.close()
        stop.wait(pause)
