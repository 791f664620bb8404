"""CC_SIGNALS: read, resolved, connected. Mistakes are collected, never the first one only."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from celery import Task
from celery.local import Proxy
from django.conf import settings
from django.core.checks import CheckMessage

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.deliveries.receivers import delivery_task_at, delivery_tasks, parameters
from commerce_coordinator.core.importing import Missing, named_by

from . import registry
from .fitting import misfits
from .guessing import did_you_mean, names_beside
from .mistakes import doubt, mistake
from .signal import CoordinatorSignal

#: What an inline receiver may ask for beside the payload's fields.
OFFERED = frozenset({"sender", "signal"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignalMap:
    """The map as it was understood: the routes that resolve, every mistake, and what may be one."""

    routes: Mapping[str, Sequence[Route]]
    mistakes: Sequence[CheckMessage]
    hash: str
    doubts: Sequence[CheckMessage] = ()


def read(configured: Any = None, *, complete: bool = True) -> SignalMap:
    """Resolve a map (CC_SIGNALS when none is given). Changes nothing.

    complete: every defined signal must be in it; False for a part of a map.
    """
    configured = settings.CC_SIGNALS if configured is None else configured
    mistakes: list[CheckMessage] = []
    doubts: list[CheckMessage] = []
    routes: dict[str, list[Route]] = {}
    if not isinstance(configured, Mapping):
        mistakes.append(
            mistake("E009", "CC_SIGNALS", "is no mapping", "Map each signal's path to a list of receivers.")
        )
        configured, complete = {}, False  # that every signal is missing too goes without saying
    for name, paths in configured.items():
        signal = _signal(name, mistakes)
        if not isinstance(paths, (list, tuple)) or not all(isinstance(path, str) for path in paths):
            mistakes.append(mistake("E009", name, "is not mapped to a list of dotted paths", "Use [] for no receiver."))
            continue
        resolved = [_route(signal, name, path, mistakes, doubts) for path in dict.fromkeys(paths)]
        if signal is not None:
            routes[name] = [route for route in resolved if route is not None]
        # By its own path: a former name of a task is the same receiver.
        own_paths = [task.path if (task := delivery_task_at(path)) else path for path in paths]
        for path in sorted({path for path in own_paths if own_paths.count(path) > 1}):
            mistakes.append(mistake("E006", path, f"is listed twice for {name}", "List each receiver once per signal."))
    mistakes.extend(
        mistake("E003", name, "is not in the map", f'Add it to CC_SIGNALS; "{name}": [] says that nobody shall get it.')
        for name in (registry.by_name() if complete else ())
        if name not in configured
    )
    return SignalMap(routes=routes, mistakes=mistakes, hash=_hash(configured), doubts=doubts)


def connect(signal_map: SignalMap) -> None:
    """Connect what resolves; a signal that is not in the map gets nobody."""
    for name, signal in registry.by_name().items():
        signal.route_to(signal_map.routes.get(name, ()), signal_map.hash)


def connected() -> dict[str, Sequence[Route]]:
    """The routes that this process sends by, in the map's order: nothing is resolved afresh."""
    known = registry.by_name()
    return {name: known[name].routes for name in dict.fromkeys([*settings.CC_SIGNALS, *known]) if name in known}


def _signal(name: Any, mistakes: list[CheckMessage]) -> CoordinatorSignal | None:
    found = named_by(name)
    if isinstance(found, Missing):
        hint = "Correct the signal's dotted path." + did_you_mean(name, registry.by_name())
        mistakes.append(mistake("E001", name, f"does not resolve: {found.reason}", hint))
        return None
    if not isinstance(found, CoordinatorSignal):
        hint = "Name a CoordinatorSignal on the left." + did_you_mean(name, registry.by_name())
        mistakes.append(mistake("E002", name, "is no CoordinatorSignal", hint))
        return None
    if found.name != name:
        # Another module imported it. Routes are read under its own path: these would be lost without a word.
        mistakes.append(mistake("E013", name, f"is {found.name} by another path", "Name each signal by its own path."))
        return None
    mistakes.extend(_field_mistakes(name, found))
    return found


def _field_mistakes(name: str, signal: CoordinatorSignal) -> list[CheckMessage]:
    if signal.contract is None:
        return []
    reserved = sorted({"self", *OFFERED} & set(signal.contract.model_fields))
    if reserved:
        return [mistake("E014", name, f"has a contract with the field {', '.join(reserved)}", "Rename the field.")]
    named = [field for field in (signal.subject, signal.person, *signal.unique_by) if field]
    return [
        mistake(
            "E010",
            name,
            f"takes {field!r} from the payload, which its contract lacks",
            "Name a contract's field." + did_you_mean(field, signal.contract.model_fields),
        )
        for field in dict.fromkeys(named)
        if field not in signal.contract.model_fields
    ]


def _route(
    signal: CoordinatorSignal | None, name: str, path: str, mistakes: list[CheckMessage], doubts: list[CheckMessage]
) -> Route | None:
    found = named_by(path)
    if isinstance(found, Missing):
        known = [*names_beside(path, _could_receive), *(task.path for task in delivery_tasks())]
        hint = f"Correct the receiver's dotted path in {name}." + did_you_mean(path, known)
        mistakes.append(mistake("E001", path, f"does not resolve: {found.reason}", hint))
        return None
    task = delivery_task_at(path)
    if task is None and isinstance(found, (Task, Proxy)):
        own_path = delivery_task_at(getattr(found, "name", ""))
        hint = f"Name it by its own path: {own_path.path}." if own_path else "Decorate it with @delivery_task."
        mistakes.append(mistake("E007", path, "is a Celery task, but no delivery task", hint))
        return None
    if not callable(found) or isinstance(found, CoordinatorSignal):
        mistakes.append(mistake("E004", path, "is not callable", "Name a function or a delivery task on the right."))
        return None
    function = task.function if task else found
    missing = _parameters_not_carried(signal, function, offered=frozenset() if task else OFFERED)
    if missing:
        mistakes.append(
            mistake(
                "E008",
                path,
                f"requires {', '.join(missing)}, which {name} does not carry",
                "Give the parameter a default, rename it, or add the field to the contract."
                + _fields_meant(signal, missing),
            )
        )
        return None
    if signal is not None and signal.contract is not None:
        wrong, unknown = misfits(signal.contract, function)
        if wrong:
            hint = "Take the contract's type, one above it, or Any; or change the contract."
            mistakes.append(mistake("E025", path, f"does not fit {name}: it takes {'; '.join(wrong)}", hint))
            return None
        if unknown:
            hint = "Import the types where they are used, not for type checkers alone; or leave the annotation out."
            doubts.append(doubt("W001", path, f"may not fit {name}: it takes {'; '.join(unknown)}", hint))
    return Route(
        signal=name,
        receiver=path,
        kind=Delivery.Kind.TASK if task else Delivery.Kind.INLINE,
        function=function,
        target=found if not task else task.function,
    )


def _parameters_not_carried(signal: CoordinatorSignal | None, function: Any, *, offered: frozenset[str]) -> list[str]:
    if signal is None or signal.contract is None:
        return []
    try:
        _, required, _ = parameters(function)
    except (TypeError, ValueError):  # a built-in without a signature
        return []
    return sorted(required - set(signal.contract.model_fields) - offered)


def _could_receive(found: Any) -> bool:
    """Would a map name it on the right? A class could be called as well; it is imported for other reasons."""
    return callable(found) and not isinstance(found, type | CoordinatorSignal)


def _fields_meant(signal: CoordinatorSignal | None, missing: Sequence[str]) -> str:
    fields = signal.contract.model_fields if signal and signal.contract else ()
    return next((hint for name in missing if (hint := did_you_mean(name, fields))), "")


def _hash(configured: Mapping[Any, Any]) -> str:
    """Of what has the right shape: what has not may be anything, a list that holds itself for one."""
    sound = {
        str(name): list(paths)
        for name, paths in configured.items()
        if isinstance(paths, (list, tuple)) and all(isinstance(path, str) for path in paths)
    }
    text = json.dumps(sound, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
