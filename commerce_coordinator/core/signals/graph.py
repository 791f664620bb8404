"""The maps as a graph: who receives what, what follows, and who is asked. Pure functions over what the maps say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.deliveries.receivers import declared_sends, delivery_task_at
from commerce_coordinator.core.paths import short as short
from commerce_coordinator.core.pipelines import Pipeline
from commerce_coordinator.core.tree import Branch


def sends_of(receiver: str) -> list[str]:
    """Names of the signals that a delivery task declares to send."""
    task = delivery_task_at(receiver)
    return sorted(declared_sends(task) or ()) if task else []


def as_branches(routes: Mapping[str, Sequence[Route]], ends: Mapping[str, str]) -> list[Branch]:
    """One tree per signal that no receiver declares to send; below a receiver hangs what it sends on.

    What only a circle sends is below none of these: it gets trees of its own. ends: signal that is routed to nobody ->
    what that means.
    """
    sent_on = {name for each in routes.values() for route in each for name in sends_of(route.receiver)}
    branches, shown = [], set[str]()
    for name in sorted(routes, key=lambda name: name in sent_on):  # stable: those that nobody sends first
        if name not in shown:
            branches.append(_signal(name, routes, ends, ()))
            shown |= _reached(name, routes)
    return branches


def _reached(name: str, routes: Mapping[str, Sequence[Route]]) -> set[str]:
    """The signal and all that follow from it."""
    found, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += [sent for route in routes.get(each, ()) for sent in sends_of(route.receiver)]
    return found


def sends_as_branches(receiver: str, routes: Mapping[str, Sequence[Route]], ends: Mapping[str, str]) -> list[Branch]:
    """One tree for each signal that the receiver declares to send. ends: as in `as_branches`."""
    return [_signal(name, routes, ends, ()) for name in sends_of(receiver)]


def sends_as_dicts(
    receiver: str, routes: Mapping[str, Sequence[Route]], above: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The same for programs: [{signal, receivers: [{receiver, kind, sends: [...]}]}], down to the leaves."""
    return [
        {
            "signal": name,
            "receivers": [
                {
                    "receiver": route.receiver,
                    "kind": str(route.kind),
                    "sends": sends_as_dicts(route.receiver, routes, (*above, name)),
                }
                for route in routes.get(name, ())
            ],
        }
        for name in sends_of(receiver)
        if name not in above
    ]


def as_dict(routes: Mapping[str, Iterable[Route]]) -> dict[str, Any]:
    """For programs: signal -> [{receiver, kind, sends}]."""
    return {
        name: [
            {"receiver": route.receiver, "kind": str(route.kind), "sends": sends_of(route.receiver)} for route in each
        ]
        for name, each in routes.items()
    }


def filters_as_branches(pipelines: Mapping[str, Pipeline]) -> list[Branch]:
    """One branch per filter, by its whole type; below it its steps, in the order in which they are asked."""
    return [
        Branch(
            label=filter_type + ("" if pipeline.steps else "  (answered by nobody)"),
            below=[Branch(label=f"{short(path)}  [step]") for path in pipeline.paths],
        )
        for filter_type, pipeline in pipelines.items()
    ]


def filters_as_dict(pipelines: Mapping[str, Pipeline]) -> dict[str, list[str]]:
    """For programs: filter type -> paths of its steps."""
    return {filter_type: pipeline.paths for filter_type, pipeline in pipelines.items()}


def _signal(
    name: str, routes: Mapping[str, Sequence[Route]], ends: Mapping[str, str], above: tuple[str, ...]
) -> Branch:
    if name in above:
        return Branch(label=f"{short(name)} (see above: it goes round)")
    below = [_receiver(route, routes, ends, (*above, name)) for route in routes.get(name, ())]
    return Branch(label=short(name) + ("" if below else f"  ({ends.get(name, 'routed to nobody')})"), below=below)


def _receiver(
    route: Route, routes: Mapping[str, Sequence[Route]], ends: Mapping[str, str], above: tuple[str, ...]
) -> Branch:
    return Branch(
        label=f"{short(route.receiver)}  [{route.kind}]",
        below=[_signal(name, routes, ends, above) for name in sends_of(route.receiver)],
    )
