"""Every signal ever defined, by name."""

import weakref
from typing import TYPE_CHECKING

from django.utils.module_loading import autodiscover_modules

if TYPE_CHECKING:
    from .signal import CoordinatorSignal

# Weak: a signal that a test defines inside a function is gone with the function.
_signals: "weakref.WeakSet[CoordinatorSignal]" = weakref.WeakSet()


#: Signal -> who says that he sends it, beside the delivery tasks: webhooks.
_senders: dict[str, set[str]] = {}


def remember(signal: "CoordinatorSignal") -> None:
    _signals.add(signal)


def remember_sender(signal: "CoordinatorSignal", sender: str) -> None:
    """Somebody who is no delivery task declares that he sends it; `sender`: his dotted path."""
    _senders.setdefault(signal.name, set()).add(sender)


def senders_of(name: str) -> list[str]:
    """Those who declared it so."""
    return sorted(_senders.get(name, ()))


def load() -> None:
    """Import the modules of every installed app that define signals, filters, delivery tasks, chores and references.

    Then every process knows the tasks that a worker knows, no more and no fewer.
    """
    autodiscover_modules("signals", "filters", "tasks", "chores", "references")


def by_name() -> "dict[str, CoordinatorSignal]":
    """All signals, sorted by dotted path."""
    return {signal.name: signal for signal in sorted(_signals, key=lambda each: each.name)}
