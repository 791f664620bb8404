"""Signals by the names that people and programs call them by."""

from . import registry
from .graph import short
from .signal import CoordinatorSignal


def named(name: str) -> list[CoordinatorSignal]:
    """What a dotted path names, or the short form `plugin.signal`: no signal, one, or several of one short form."""
    known = registry.by_name()
    if name in known:
        return [known[name]]
    return [signal for path, signal in known.items() if short(path) == name]
