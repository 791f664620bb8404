"""A wrong map does not start: the same list for `manage.py check` and for `enforce()`.

Django's checks stop neither gunicorn nor a Celery worker, so wsgi, asgi, worker and relay call `enforce()`.
"""

from typing import Any

from celery import current_app
from django.conf import settings
from django.core.checks import CheckMessage

from commerce_coordinator.core import filter_map
from commerce_coordinator.core.deliveries import receivers
from commerce_coordinator.core.exceptions import WrongMap

from . import origins, registry, routes
from .mistakes import mistake


def check_map(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Every mistake of both maps, that of signals and that of filters, and of what stands around them."""
    return [
        *routes.read().mistakes,
        *_connected_beside_the_map(),
        *_undeclarable_sends(),
        *_short_leases(),
        *filter_map.read().mistakes,
        *origins.mistakes(),
    ]


def enforce() -> None:
    """Raise WrongMap with every mistake at once, or return."""
    mistakes = check_map()
    if mistakes:
        raise WrongMap(mistakes)


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
        mistake("E011", task.path, f"declares to send {name}, which is no signal", "Correct the path in sends=[...].")
        for task in receivers.delivery_tasks()
        for name in sorted(receivers.declared_sends(task) or ())
        if name not in known
    ]


def _short_leases() -> list[CheckMessage]:
    """A lease that ends while its task may still run gives the delivery to two workers."""
    lease = settings.CC_LEASE_SECONDS
    found: list[CheckMessage] = []
    for task in receivers.delivery_tasks():
        limit = getattr(current_app.tasks.get(task.path), "time_limit", None) or settings.CELERY_TASK_TIME_LIMIT
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
