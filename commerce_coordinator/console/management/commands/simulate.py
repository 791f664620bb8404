"""`manage.py simulate`: what a sending would do. Nothing is written, and nothing is sent."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.dispatch import Route, Sending
from commerce_coordinator.core.deliveries.receivers import parameters
from commerce_coordinator.core.exceptions import InvalidPayload
from commerce_coordinator.core.signals import graph, guessing, naming, registry, routes
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.tree import Branch, lines


class Command(BaseCommand):
    help = (
        "Show what a sending of a signal would do, without doing it: its payload is validated, its receivers are shown "
        "with the arguments that they would be given, and below them what they declare to send on, down to the leaves. "
        "Private values are hidden. Exit code 1 when the payload does not fit."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("signal", help="its dotted path, or short: stripe.payment_captured")
        parser.add_argument(
            "--payload", metavar="FILE", required=True, help="a JSON object of its values (- reads the standard input)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal, values = _signal(options["signal"]), _values(options["payload"])
        signal_map = routes.read()
        mine = signal_map.routes.get(signal.name, ())
        try:
            sending = signal.prepare("simulate", values, from_json=True)
        except InvalidPayload as error:
            raise CommandError(str(error)) from None
        shown = contracts.masked(signal.name, sending.payload) or {}
        branch = Branch(label=f"signal {graph.short(signal.name)} {sending.subject}".rstrip())
        for route in mine:
            below = [_arguments(route, shown), *graph.sends_as_branches(route.receiver, signal_map.routes)]
            branch.below.append(Branch(label=f"{graph.short(route.receiver)}  [{route.kind}]", below=below))
        self.stdout.write("\n".join(lines(branch)))
        self.stdout.write(_ending(sending, mine))


def _signal(name: str) -> CoordinatorSignal:
    found = naming.named(name)
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"{name} is one of {', '.join(each.name for each in found)}. Give the whole path.")
    known = registry.by_name()
    hint = guessing.did_you_mean(name, [*known, *map(graph.short, known)])
    raise CommandError(f"There is no signal {name}.{hint} `manage.py routes` shows them all.")


def _values(name: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        found = json.loads(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{name} is not valid JSON in UTF-8.") from None
    if not isinstance(found, dict):
        raise CommandError(f'{name} must hold a JSON object, {{"field": value, ...}}.')
    return found


def _arguments(route: Route, shown: Mapping[str, Any]) -> Branch:
    accepted, _, takes_any = parameters(route.function)
    given = shown if takes_any else {name: value for name, value in shown.items() if name in accepted}
    return Branch(label=f"is given {json.dumps(given, ensure_ascii=False)}")


def _ending(sending: Sending, mine: Any) -> str:
    if mine:
        return "Nothing was sent, and nothing written."
    what = "It would be kept as unrouted, in front of an operator." if sending.unrouted else "Nobody need hear it."
    return f"Nobody would receive it. {what} Nothing was sent, and nothing written."
