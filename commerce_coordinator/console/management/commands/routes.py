"""`manage.py routes`: the maps of signals and of filters as they are understood."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core import filter_map
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals import graph, routes
from commerce_coordinator.core.signals.checks import check_map
from commerce_coordinator.core.tree import lines


class Command(BaseCommand):
    help = (
        "Show which receivers get which signal, as a tree: below a delivery task hangs what it sends on. [task] is run "
        "by a worker, durably; [inline] where the signal is sent. Then which steps answer which filter, in their "
        "order. Exit code 1 when a map has a mistake."
    )
    # The map's mistakes are what this command is there to show.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            help="for programs: signals (signal -> [{receiver, kind, sends}]) and filters (type -> [step])",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal_map, pipelines = routes.read(), filter_map.read().pipelines
        if options["json"]:
            told = {"signals": graph.as_dict(signal_map.routes), "filters": graph.filters_as_dict(pipelines)}
            self.stdout.write(json.dumps(told, indent=2))
        else:
            for branch in [*graph.as_branches(signal_map.routes), *graph.filters_as_branches(pipelines)]:
                self.stdout.write("\n".join(lines(branch)))
            counts = f"signals: {len(signal_map.routes)}, filters: {len(pipelines)}"
            self.stdout.write(f"Map {signal_map.hash}; {counts}.")
        mistakes = check_map()
        if mistakes:
            raise CommandError(str(WrongMap(mistakes)))
