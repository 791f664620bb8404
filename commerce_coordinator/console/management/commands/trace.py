"""`manage.py trace`: the whole way of an event."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core import trace
from commerce_coordinator.core.trace_text import as_dict, as_tree
from commerce_coordinator.core.tree import lines


class Command(BaseCommand):
    help = (
        "Show the whole way of an event, from the HTTP request to the call on the LMS: signals, receivers, attempts, "
        "calls, times and outcomes. Exit code 1 when nothing is known of the reference."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "reference",
            help="a provider's event id (evt_...), trace id, order number, payment id, user, or the id of a row",
        )
        parser.add_argument("--json", action="store_true", help="for programs: a list of traces, nested")

    def handle(self, *args: Any, **options: Any) -> None:
        stories = [as_dict(each, acts=trace.acts(each)) for each in trace.find(options["reference"].strip())]
        if len(stories) == trace.MOST_STORIES:
            self.stderr.write(f"These are the newest {len(stories)}; there may be older ones.")
        if options["json"]:
            self.stdout.write(json.dumps(stories, indent=2))
        if not stories:
            raise CommandError(
                f"Nothing is known of {options['reference']!r}. "
                "Give an event id, a trace id, an order number, a payment id, a user, or a row's id; "
                "`manage.py deliveries` lists some."
            )
        if not options["json"]:
            for story in stories:
                self.stdout.write("\n".join(lines(as_tree(story))))
