"""Every signal ever defined, by name."""

import weakref
from typing import TYPE_CHECKING

from django.utils.module_loading import autodiscover_modules

from commerce_coordinator.core.deliveries import contracts

if TYPE_CHECKING:
    from .signal import CoordinatorSignal

# Weak: a signal that a test defines inside a function is gone with the function.
_signals: "weakref.WeakSet[CoordinatorSignal]" = weakref.WeakSet()


def remember(signal: "CoordinatorSignal") -> None:
    _signals.add(signal)


def load() -> None:
    """Import the `signals` module of every installed app, and note each contract by its signal's name."""
    autodiscover_modules("signals", "chores")
    for name, signal in by_name().items():
        contracts.remember(name, signal.contract)


def by_name() -> "dict[str, CoordinatorSignal]":
    """All signals, sorted by dotted path."""
    return {signal.name: signal for signal in sorted(_signals, key=lambda each: each.name)}
