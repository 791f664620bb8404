"""The catalogue of signals: what each means and carries, who sends it, who gets it. Out of the code and the map."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.module_loading import autodiscover_modules

from commerce_coordinator.core.deliveries import receivers
from commerce_coordinator.core.deliveries.dispatch import Route

from . import documentation, registry
from .flow_map import FlowMap, Trouble, flow_map
from .graph import short
from .signal import CoordinatorSignal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One signal. schema: the contract's JSON Schema (draft 2020-12); None where it carries any values."""

    name: str
    short: str
    documentation: str
    schema: Mapping[str, Any] | None
    subject: str | None
    person: str | None
    unique_by: Sequence[str]
    needs_receiver: bool
    senders: Sequence[str]
    receivers: Sequence[Mapping[str, str]]


def entries(routes: Mapping[str, Sequence[Route]]) -> list[Entry]:
    """All signals that the map knows, sorted by name."""
    senders = declared_senders()
    known = registry.by_name()
    return [_entry(known[name], routes[name], senders.get(name, ())) for name in sorted(routes) if name in known]


def declared_senders() -> dict[str, list[str]]:
    """Signal -> who declares to send it: delivery tasks, webhooks, and what the signal says in words."""
    autodiscover_modules("webhooks")  # they declare what they send, and a command imports them late
    found: dict[str, list[str]] = {}
    for task in receivers.delivery_tasks():
        for name in receivers.declared_sends(task) or ():
            found.setdefault(name, []).append(task.path)
    for name, signal in registry.by_name().items():
        told = [*registry.senders_of(name), *([signal.sent_by] if signal.sent_by else [])]
        if told:
            found.setdefault(name, []).extend(told)
    return {name: sorted(set(each)) for name, each in found.items()}


def drawn(routes: Mapping[str, Sequence[Route]]) -> FlowMap:
    """The map as a graph, with all who declare to send and all delivery tasks of the code."""
    return flow_map(
        routes,
        senders=declared_senders(),
        unheard=_unheard(),
        tasks=[task.path for task in receivers.delivery_tasks()],
    )


def ends(routes: Mapping[str, Sequence[Route]]) -> dict[str, str]:
    """Signals that the map routes to nobody, each with the picture's word for it, and what that means."""
    meanings = {
        True: f"{Trouble.UNHEARD}: needs no receiver",
        False: f"{Trouble.UNROUTED}: what is sent waits for an operator",
    }
    unheard = _unheard()
    return {name: meanings[name in unheard] for name, each in routes.items() if not each}


def _unheard() -> set[str]:
    """Signals that need no receiver."""
    return {name for name, signal in registry.by_name().items() if not signal.needs_receiver}


def _entry(signal: CoordinatorSignal, routes: Sequence[Route], senders: Sequence[str]) -> Entry:
    return Entry(
        name=signal.name,
        short=short(signal.name),
        documentation=documentation.of_signal(signal),
        schema=signal.contract.model_json_schema(mode="validation") if signal.contract else None,
        subject=signal.subject,
        person=signal.person,
        unique_by=signal.unique_by,
        needs_receiver=signal.needs_receiver,
        senders=list(senders),
        receivers=[
            {
                "receiver": route.receiver,
                "kind": str(route.kind),
                "documentation": documentation.of_receiver(route.receiver, route.function),
            }
            for route in routes
        ],
    )
