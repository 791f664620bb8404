"""`manage.py simulate`: what a sending would do. Nothing is written, and nothing is sent."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.console.reading import bytes_of, shown_name
from commerce_coordinator.core import strict_json
from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.dispatch import Route, Sending
from commerce_coordinator.core.deliveries.receivers import parameters
from commerce_coordinator.core.exceptions import InvalidPayload
from commerce_coordinator.core.signals import catalogue, graph, guessing, naming, registry, routes
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
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        signal, values = _signal(options["signal"]), _values(options["payload"])
        signal_map = routes.read()
        mine = signal_map.routes.get(signal.name, ())
        try:
            sending = signal.prepare("simulate", values, from_json=True)
        except InvalidPayload as error:
            raise CommandError(str(error)) from None
        shown = contracts.masked(signal.name, sending.payload) or {}
        if options["json"]:
            self.stdout.write(json.dumps(_as_dict(sending, shown, signal_map.routes), indent=2, ensure_ascii=False))
            return
        branch = Branch(label=f"signal {graph.short(signal.name)} {_subject(signal, shown)}".rstrip())
        ends = catalogue.ends(signal_map.routes)
        for route in mine:
            given = f"is given {json.dumps(_arguments(route, shown), ensure_ascii=False)}"
            below = [Branch(label=given), *graph.sends_as_branches(route.receiver, signal_map.routes, ends)]
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


def _values(path: str) -> dict[str, Any]:
    """As the API would read them."""
    name = shown_name(path)
    try:
        found = strict_json.load(bytes_of(path))
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except strict_json.NotJSON as wrong:
        raise CommandError(f"{name} {wrong}.") from None
    if not isinstance(found, dict):
        raise CommandError(f'{name} must hold a JSON object, {{"field": value, ...}}.')
    return found


def _subject(signal: CoordinatorSignal, shown: Mapping[str, Any]) -> str:
    """Out of what is shown: it may be private."""
    value = shown.get(signal.subject) if signal.subject else None
    return "" if value is None else str(value)


def _arguments(route: Route, shown: Mapping[str, Any]) -> dict[str, Any]:
    accepted, _, takes_any = parameters(route.function)
    return {name: value for name, value in shown.items() if takes_any or name in accepted}


def _as_dict(
    sending: Sending, shown: Mapping[str, Any], signal_routes: Mapping[str, Sequence[Route]]
) -> dict[str, Any]:
    return {
        "signal": sending.signal,
        "payload": shown,
        "unrouted": sending.unrouted,
        "receivers": [
            {
                "receiver": route.receiver,
                "kind": str(route.kind),
                "arguments": _arguments(route, shown),
                "sends": graph.sends_as_dicts(route.receiver, signal_routes, (sending.signal,)),
            }
            for route in signal_routes.get(sending.signal, ())
        ],
    }


def _ending(sending: Sending, mine: Sequence[Route]) -> str:
    if mine:
        return "Nothing was sent, and nothing written."
    what = "It would be kept as unrouted, in front of an operator." if sending.unrouted else "Nobody need hear it."
    return f"Nobody would receive it. {what} Nothing was sent, and nothing written."
