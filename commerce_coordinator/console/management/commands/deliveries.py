"""`manage.py deliveries`: the list, newest first."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console.receiver_names import UnknownName, path_of
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.signals.graph import short


class Command(BaseCommand):
    help = "List deliveries, newest first. `--state dead` is the list of those that wait for `manage.py replay`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", choices=Delivery.State.values, help="only those in this state")
        parser.add_argument("--receiver", help="only those of this receiver (dotted path, or as the list shows it)")
        parser.add_argument("--order", help="only those about this order number")
        parser.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
        parser.add_argument("--json", action="store_true", help="for programs: a list of objects")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["limit"] < 1:
            raise CommandError("--limit must be 1 or more.")
        rows = Delivery.objects.select_related("dispatch").order_by("-id")
        if options["state"]:
            rows = rows.filter(state=options["state"])
        if options["receiver"]:
            try:
                rows = rows.filter(receiver=path_of(options["receiver"]))
            except UnknownName as unknown:
                raise CommandError(str(unknown)) from None
        if options["order"]:
            rows = rows.filter(dispatch__subject=options["order"])
        found = list(rows[: options["limit"] + 1])
        more, found = len(found) > options["limit"], found[: options["limit"]]
        if options["json"]:
            self.stdout.write(json.dumps([_as_dict(each) for each in found], indent=2))
            return
        for each in found:
            error = f"  {each.error_class}" if each.error_class else ""
            self.stdout.write(
                f"{each.pk}  {each.state:<9}  {short(each.receiver):<40}  {each.dispatch.subject:<20}  "
                f"{each.created_at:%Y-%m-%d %H:%M:%S}{error}"
            )
        if more:
            self.stderr.write(f"There are more than these {len(found)}: --limit shows more.")
        if not found:
            self.stderr.write("No delivery matches.")


def _as_dict(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": str(delivery.pk),
        "state": delivery.state,
        "receiver": delivery.receiver,
        "signal": delivery.dispatch.signal,
        "subject": delivery.dispatch.subject,
        "trace_id": delivery.dispatch.trace_id,
        "attempts": delivery.attempts,
        "generation": delivery.generation,
        "error_class": delivery.error_class,
        "created_at": delivery.created_at.isoformat(),
        "next_attempt_at": delivery.next_attempt_at.isoformat(),
        "settled_at": delivery.settled_at.isoformat() if delivery.settled_at else None,
    }
