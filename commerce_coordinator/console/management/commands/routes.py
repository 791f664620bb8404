"""`manage.py routes`: the map as it is understood."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals import graph, routes
from commerce_coordinator.core.signals.checks import check_signal_map
from commerce_coordinator.core.tree import lines


class Command(BaseCommand):
    help = (
        "Show which receivers get which signal, as a tree: below a delivery task hangs what it sends on. [task] is run "
        "by a worker, durably; [inline] where the signal is sent. Exit code 1 when the map has a mistake."
    )
    # The map's mistakes are what this command is there to show.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs: signal -> [{receiver, kind, sends}]")

    def handle(self, *args: Any, **options: Any) -> None:
        signal_map = routes.read()
        if options["json"]:
            self.stdout.write(json.dumps(graph.as_dict(signal_map.routes), indent=2))
        else:
            for branch in graph.as_branches(signal_map.routes):
                self.stdout.write("\n".join(lines(branch)))
            self.stdout.write(f"Map {signal_map.hash}: {len(signal_map.routes)} signals.")
        mistakes = check_signal_map()
        if mistakes:
            raise CommandError(str(WrongMap(mistakes)))
