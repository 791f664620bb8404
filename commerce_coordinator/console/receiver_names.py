"""Receivers and signals by the names that people use: the dotted path, or the short one that lists show."""

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.receivers import delivery_tasks
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.signals.graph import short
from commerce_coordinator.core.signals.guessing import did_you_mean


class UnknownName(CoordinatorError):
    """Nothing has this name."""


def known() -> set[str]:
    """Dotted paths of all receivers that the map or the code names."""
    routed = {route.receiver for signal in registry.by_name().values() for route in signal.routes}
    return routed | {task.path for task in delivery_tasks()}


def path_of(name: str) -> str:
    """The dotted path of a receiver. One that only the rows know still counts: it was renamed or removed.

    Raises UnknownName.
    """
    paths = known()
    if name in paths:
        return name
    for path in sorted(paths):
        if short(path) == name:
            return path
    if Delivery.objects.filter(receiver=name).exists():
        return name
    raise UnknownName(f"No receiver is named {name!r}.{did_you_mean(name, [*paths, *map(short, paths)])}")


def signal_path_of(name: str) -> str:
    """The dotted path of a signal. A path that no plugin defines is taken as it is: its rows may still be there.

    Raises UnknownName.
    """
    paths = list(registry.by_name())
    for path in sorted(paths):
        if name in (path, short(path)):
            return path
    if name.count(".") > 1:
        return name
    raise UnknownName(f"No signal is named {name!r}.{did_you_mean(name, [*paths, *map(short, paths)])}")
