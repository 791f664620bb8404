"""`manage.py routes`: the maps of signals and of filters as they are understood, or as they would be."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console import candidate
from commerce_coordinator.core import filter_map
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals import differences, graph, operator_file, routes
from commerce_coordinator.core.signals.checks import check_doubts, check_map, mistakes_of
from commerce_coordinator.core.tree import lines

FORMATS = {"mermaid": graph.as_mermaid, "dot": graph.as_dot}


class Command(BaseCommand):
    help = (
        "Show which receivers get which signal, as a tree: below a delivery task hangs what it sends on. [task] is run "
        "by a worker, durably; [inline] where the signal is sent. Then which steps answer which filter, in their "
        "order. Exit code 1 when a map has a mistake."
    )
    # The map's mistakes are what this command is there to show.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument(
            "--json",
            action="store_true",
            help="for programs: signals (signal -> [{receiver, kind, sends}]) and filters (type -> [step])",
        )
        shown.add_argument("--format", choices=["tree", *FORMATS], default="tree", help="tree, or a language of graphs")
        shown.add_argument("--yaml", action="store_true", help="the present maps as the operator's file, ready to edit")
        shown.add_argument(
            "--config",
            metavar="FILE",
            help="a file that is to become the operator's (- reads it from the standard input): its mistakes, and what "
            "it would change. Nothing that runs is touched",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["config"]:
            self._show_candidate(options["config"])
            return
        signal_map, filters = routes.read(), filter_map.read()
        if options["json"]:
            told = {"signals": graph.as_dict(signal_map.routes), "filters": graph.filters_as_dict(filters.pipelines)}
            self.stdout.write(json.dumps(told, indent=2))
        elif options["yaml"]:
            self.stdout.write("\n".join(operator_file.lines(signal_map.routes, filters.pipelines)))
        elif options["format"] in FORMATS:
            self.stdout.write(FORMATS[options["format"]](signal_map.routes))
        else:
            for branch in [*graph.as_branches(signal_map.routes), *graph.filters_as_branches(filters.pipelines)]:
                self.stdout.write("\n".join(lines(branch)))
            counts = f"signals: {len(signal_map.routes)}, filters: {len(filters.pipelines)}"
            self.stdout.write(f"Map {signal_map.hash}; {counts}.")
        self._judge(check_map(), check_doubts())

    def _show_candidate(self, name: str) -> None:
        try:
            text = sys.stdin.read() if name == "-" else candidate.text_of(Path(name))
            found = candidate.read("The standard input" if name == "-" else name, text)
        except candidate.Refused as refused:
            raise CommandError(str(refused)) from None
        signals = differences.changes(routes.read().routes, found.signal_map.routes)
        for change in signals:
            self.stdout.write("\n".join(differences.in_words(change)))
        pipelines = differences.pipeline_changes(filter_map.read().pipelines, found.filters.pipelines)
        for line in pipelines:
            self.stdout.write(line)
        count = len(signals) + sum(not line.startswith(" ") for line in pipelines)
        self.stdout.write(
            f"{count} of the map's entries would change." if count else "The maps would stay as they are."
        )
        self._judge(mistakes_of(found.signal_map, found.filters), found.signal_map.doubts)

    def _judge(self, mistakes: Sequence[CheckMessage], doubts: Sequence[CheckMessage]) -> None:
        for doubt in doubts:
            self.stderr.write(f"{doubt.id}: {doubt.msg}\n    HINT: {doubt.hint}")
        if mistakes:
            raise CommandError(str(WrongMap(mistakes)))
