"""Receivers by path: finding them again from a row, and calling them with what they ask for."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from .models import Delivery

#: The Celery task that runs an inline receiver again, after a replay.
INLINE_TASK = "commerce_coordinator.core.deliveries.tasks.run_inline_receiver"


class UnknownReceiver(LookupError):
    """No receiver has this path. It was renamed without an alias, or its plugin was removed."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskReceiver:
    """What `@delivery_task` knows about a receiver."""

    path: str
    function: Callable[..., Any]
    sends: tuple[Any, ...] = ()
    schedule: tuple[float, ...] | None = None
    aliases: tuple[str, ...] = ()


_tasks: dict[str, TaskReceiver] = {}


def register(receiver: TaskReceiver) -> None:
    for path in (receiver.path, *receiver.aliases):
        _tasks[path] = receiver


def delivery_task_at(path: str) -> TaskReceiver | None:
    """The delivery task of this path or former path, or None."""
    return _tasks.get(path)


def delivery_tasks() -> list[TaskReceiver]:
    """All of them, by path; each once, however many aliases it has."""
    return sorted(set(_tasks.values()), key=lambda receiver: receiver.path)


def resolve(path: str, kind: str = Delivery.Kind.TASK) -> TaskReceiver:
    """The receiver of a delivery row. Raises UnknownReceiver.

    A delivery task counts as known only if a worker of these settings would know it: its module is imported at start,
    as an installed app's or by the map. A plugin that was removed may still lie on the path; importing it here would
    deceive us.
    """
    if kind == Delivery.Kind.TASK:
        task = _tasks.get(path)
        if task is None:
            raise UnknownReceiver(path)
        return task
    try:
        found = import_string(path)
    except Exception as error:  # a module that fails, in whatever way, has no receiver for us
        raise UnknownReceiver(path) from error
    if not callable(found):
        raise UnknownReceiver(path)
    return TaskReceiver(path=path, function=found)


def task_of(delivery: Delivery) -> str:
    """The name of the Celery task whose message wakes a worker for this delivery."""
    return INLINE_TASK if delivery.kind == Delivery.Kind.INLINE else delivery.receiver


@functools.lru_cache(maxsize=4096)
def declared_sends(receiver: TaskReceiver) -> frozenset[str] | None:
    """Names of the signals it declared to send; None for an inline receiver, which declares nothing."""
    if receiver.path not in _tasks:
        return None
    return frozenset(str(getattr(signal, "name", signal)) for signal in receiver.sends)


def schedule_of(receiver: TaskReceiver | None) -> Sequence[float]:
    """Delays between attempts in seconds: the task's own, else CC_RETRY_SCHEDULE."""
    if receiver is not None and receiver.schedule is not None:
        return receiver.schedule
    schedule: Sequence[float] = settings.CC_RETRY_SCHEDULE
    return schedule


@functools.lru_cache(maxsize=4096)
def parameters(function: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str], bool]:
    """(accepted names, required names, takes any): the keyword side of a function's signature."""
    accepted, required, takes_any = set(), set(), False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY):
            accepted.add(parameter.name)
            if parameter.default is parameter.empty:
                required.add(parameter.name)
    return frozenset(accepted), frozenset(required), takes_any


def call(function: Callable[..., Any], values: Mapping[str, Any], **offered: Any) -> Any:
    """Call with the payload's values, and with those of `offered` (sender, signal), as far as it has the names."""
    accepted, _, takes_any = parameters(function)
    offered.update(values)
    if takes_any:
        return function(**offered)
    return function(**{name: value for name, value in offered.items() if name in accepted})
