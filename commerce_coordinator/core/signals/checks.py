"""A wrong map does not start: the same list for `manage.py check` and for `enforce()`.

Django's checks stop neither gunicorn nor a Celery worker, so wsgi, asgi, worker and relay call `enforce()`.
"""

import functools
import graphlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import CheckMessage
from pydantic import BaseModel, PydanticUserError

from commerce_coordinator.core import filter_map
from commerce_coordinator.core.deliveries import receivers
from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.telemetry import switch

from . import catalogue, graph, origins, registry, routes
from .guessing import did_you_mean
from .mistakes import doubt, mistake


def check_map(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every mistake of both maps, that of signals and that of filters, and of what stands around them.

    Among it CC_OPENTELEMETRY: whoever switches it on shall not find out at 3 a.m. that there are no spans.
    """
    signal_map, filters = routes.read(), filter_map.read()
    return [
        *signal_map.mistakes,
        *_not_json(),
        *_circles(signal_map.routes),
        *_connected_beside_the_map(),
        *_undeclarable_sends(),
        *_short_leases(),
        *filters.mistakes,
        *origins.mistakes(),
        *_spans_that_cannot_leave(),
    ]


def check_doubts(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """What may be a mistake of the map, and may be right."""
    return [*routes.read().doubts, *_sent_by_nobody(), *_idle_soft_limits(), *_unread_files()]


def enforce() -> None:
    """Raise WrongMap with every mistake at once, or return."""
    mistakes = check_map()
    if mistakes:
        raise WrongMap(mistakes)


def _unread_files() -> list[CheckMessage]:
    """Whoever checks a candidate must not be told that all is well because nobody looked at it."""
    name = "COMMERCE_COORDINATOR_CFG"
    if not os.environ.get(name) or settings.READS_OPERATOR_FILE:
        return []
    hint = "Set DJANGO_SETTINGS_MODULE to commerce_coordinator.settings.production, or use `manage.py routes --config`."
    return [doubt("W004", name, f"names a file, and {settings.SETTINGS_MODULE} reads none", hint)]


def _connected_beside_the_map() -> list[CheckMessage]:
    return [
        mistake(
            "E005",
            name,
            f"has a receiver that the map does not know: {_shown(receiver)}",
            "Connect receivers by CC_SIGNALS alone.",
        )
        for name, signal in registry.by_name().items()
        for receiver in signal.receivers_beside_the_map()
    ]


def _shown(receiver: Any) -> str:
    target = receiver() if type(receiver).__name__ in {"ReferenceType", "WeakMethod", "weakref"} else receiver
    return f"{getattr(target, '__module__', '?')}.{getattr(target, '__qualname__', repr(target))}"


def _undeclarable_sends() -> list[CheckMessage]:
    known = registry.by_name()
    return [
        mistake(
            "E011",
            task.path,
            f"declares to send {name}, which is no signal",
            "Correct the path in sends=[...]." + did_you_mean(name, known),
        )
        for task in receivers.delivery_tasks()
        for name in sorted(receivers.declared_sends(task) or ())
        if name not in known
    ]


def _not_json() -> list[CheckMessage]:
    return [
        mistake("E026", name, f"has a contract that cannot be JSON: {reason}", "Give the field a type that JSON has.")
        for name, signal in registry.by_name().items()
        if signal.contract is not None and (reason := _why_not_json(signal.contract))
    ]


@functools.lru_cache(maxsize=4096)
def _why_not_json(contract: type[BaseModel]) -> str:
    """Empty where it can. A payload is stored as JSON, and read back from it."""
    try:
        for mode in ("serialization", "validation"):
            contract.model_json_schema(mode=mode)
    except PydanticUserError as error:
        return str(error.message).splitlines()[0].rstrip(".")
    return ""


def _circles(signal_routes: Mapping[str, Sequence[Route]]) -> list[CheckMessage]:
    """Circles of declared sendings: each of them would never end. One for each sending that closes one."""
    follows = {
        name: {sent for route in each for sent in graph.sends_of(route.receiver)}
        for name, each in signal_routes.items()
    }
    found: list[CheckMessage] = []
    while True:
        try:
            graphlib.TopologicalSorter(follows).prepare()
        except graphlib.CycleError as error:
            # As the sorter tells it, each is sent by the one behind it.
            circle = error.args[1][::-1]
            follows[circle[0]].discard(circle[1])
            shown = " -> ".join(graph.short(name) for name in circle)
            hint = "Route one of these signals to another receiver, or let the receiver not send it."
            found.append(mistake("E027", circle[0], f"sends itself again, for ever: {shown}", hint))
        else:
            return found


def _sent_by_nobody() -> list[CheckMessage]:
    declared = catalogue.declared_senders()
    hint = "Declare it by @delivery_task(sends=[...]), in a webhook's table, or by the signal's sent_by; or remove it."
    return [
        doubt("W002", name, "is sent by nobody who says so", hint)
        for name in registry.by_name()
        if name not in declared
    ]


def _spans_that_cannot_leave() -> list[CheckMessage]:
    lacking = switch.lacking()
    found: list[CheckMessage] = []
    if lacking:
        problem = f"is on, but {', '.join(name.removesuffix('.trace') for name in lacking)} cannot be imported"
        hint = "pip install -r requirements/opentelemetry.txt, or unset CC_OPENTELEMETRY."
        found.append(mistake("E040", "CC_OPENTELEMETRY", problem, hint))
    for name, value in switch.unknown_ways().items():
        known = switch.EXPORTERS if name == "OTEL_TRACES_EXPORTER" else (switch.PROTOCOL,)
        hint = f"Use {' or '.join(known)}, or unset it."
        found.append(mistake("E041", name, f"is {value!r}, and CC_OPENTELEMETRY is on", hint))
    return found


def _short_leases() -> list[CheckMessage]:
    """A lease that ends while its task may still run gives the delivery to two workers."""
    lease = settings.CC_LEASE_SECONDS
    found: list[CheckMessage] = []
    for task in receivers.delivery_tasks():
        _, limit = _time_limits(task)
        if not limit or limit >= lease:  # 0 is no limit at all
            found.append(
                mistake(
                    "E012",
                    task.path,
                    f"may run for {limit} s, but its lease ends after {lease} s",
                    "Raise CC_LEASE_SECONDS or lower the time limit.",
                )
            )
    return found


def _idle_soft_limits() -> list[CheckMessage]:
    """A soft limit lets a receiver end with a reason. Behind the hard one it never comes: the process is killed."""
    found: list[CheckMessage] = []
    for task in receivers.delivery_tasks():
        soft, hard = _time_limits(task)
        if soft and hard and soft >= hard:
            problem = f"is killed after {hard} s, before its soft time limit of {soft} s"
            found.append(doubt("W003", task.path, problem, "Let the soft time limit be the shorter one."))
    return found


def _time_limits(task: receivers.TaskReceiver) -> tuple[float | None, float | None]:
    """(soft, hard) in seconds: the task's own, else those of all. A worker takes 0 for `none of its own`, too."""
    celery_task = current_app.tasks.get(task.path)
    soft = getattr(celery_task, "soft_time_limit", None) or settings.CELERY_TASK_SOFT_TIME_LIMIT
    hard = getattr(celery_task, "time_limit", None) or settings.CELERY_TASK_TIME_LIMIT
    return soft, hard
