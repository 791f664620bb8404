"""`manage.py routes`: the maps of signals and of filters as they are understood, or as they would be."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console import candidate
from commerce_coordinator.console.reading import shown_name
from commerce_coordinator.core import filter_map
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals import catalogue, diagrams, graph, operator_file, routes
from commerce_coordinator.core.signals.checks import check_doubts, check_map
from commerce_coordinator.core.tree import lines

FORMATS = {"mermaid": diagrams.as_mermaid, "dot": diagrams.as_dot}


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
            help="for programs: signals (signal -> [{receiver, kind, sends}]) and filters (type -> [step]); with "
            "--config starts, mistakes, doubts, signals and filters",
        )
        shown = parser.add_mutually_exclusive_group()
        shown.add_argument("--format", choices=["tree", *FORMATS], default="tree", help="tree, or a language of graphs")
        shown.add_argument("--yaml", action="store_true", help="the present maps as the operator's file, ready to edit")
        shown.add_argument(
            "--config",
            metavar="FILE",
            help="a file that is to become the operator's (- reads it from the standard input): its mistakes, or what "
            "it would change. Nothing that runs is touched. The exit code is 1 when nothing would start with it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and (options["yaml"] or options["format"] in FORMATS):
            raise CommandError("--json goes with --config or alone.")
        if options["config"] is not None:
            self._show_candidate(options["config"], as_json=options["json"])
            return
        signal_map, filters = routes.read(), filter_map.read()
        if options["json"]:
            told = {"signals": graph.as_dict(signal_map.routes), "filters": graph.filters_as_dict(filters.pipelines)}
            self.stdout.write(json.dumps(told, indent=2))
        elif options["yaml"]:
            self.stdout.write("\n".join(operator_file.lines(signal_map.routes, filters.pipelines)))
        elif options["format"] in FORMATS:
            self.stdout.write(FORMATS[options["format"]](catalogue.drawn(signal_map.routes)))
        else:
            trees = graph.as_branches(signal_map.routes, catalogue.ends(signal_map.routes))
            for branch in [*trees, *graph.filters_as_branches(filters.pipelines)]:
                self.stdout.write("\n".join(lines(branch)))
            counts = f"signals: {len(signal_map.routes)}, filters: {len(filters.pipelines)}"
            self.stdout.write(f"Map {signal_map.hash}; {counts}.")
        self._judge(check_map(), check_doubts())

    def _show_candidate(self, name: str, *, as_json: bool) -> None:
        found = candidate.judge(name)
        if as_json:
            self.stdout.write(json.dumps(candidate.as_dict(found), indent=2))
        else:
            for line in candidate.in_words(found):
                self.stdout.write(line)
            for doubt in found.doubts:
                self.stderr.write(str(doubt))
        if found.mistakes:
            count = len(found.mistakes)
            told = f"{count} mistake{'s' if count > 1 else ''}"
            listed = "\n".join(map(str, found.mistakes))
            raise CommandError(f"{shown_name(name)} has {told}; nothing would start with it.\n{listed}")

    def _judge(self, mistakes: Sequence[CheckMessage], doubts: Sequence[CheckMessage]) -> None:
        for doubt in doubts:
            self.stderr.write(f"{doubt.id}: {doubt.msg}\n    HINT: {doubt.hint}")
        if mistakes:
            raise CommandError(str(WrongMap(mistakes)))
