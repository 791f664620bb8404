"""What a signal and a receiver say of themselves, out of the code: nothing is written down twice."""

import functools
import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from commerce_coordinator.core import filters
from commerce_coordinator.core.deliveries.receivers import TaskReceiver, delivery_task_at
from commerce_coordinator.core.importing import Missing, named_by

from .signal import CoordinatorSignal

#: A comment of `#:` lines, and the name that the statement behind it binds.
_COMMENTED = re.compile(r"((?:^#:[^\n]*\n)+)^([A-Za-z_][A-Za-z0-9_]*)\s*(?::[^=\n]*)?=", re.MULTILINE)


def of_signal(signal: CoordinatorSignal) -> str:
    """The comment above it (`#: ...`), else the first paragraph of its contract's docstring, in a line; or nothing."""
    module, _, name = signal.name.rpartition(".")
    found = _comments(module).get(name, "")
    if found or signal.contract is None or signal.contract.__doc__ is None:
        return found
    return _first_paragraph(signal.contract.__doc__)


def of_receiver(path: str, target: Callable[..., Any] | None = None) -> str:
    """The first sentence of its docstring. May be empty. target: what the path names, where that is known."""
    task: TaskReceiver | None = delivery_task_at(path)
    found = task.function if task else target or named_by(path)
    text = None if isinstance(found, Missing) else inspect.getdoc(found)
    return re.split(r"(?<=[.:])\s", _first_paragraph(text or ""), maxsplit=1)[0].rstrip(":")


def of_filter(filter_type: str) -> str:
    """What it asks: the first paragraph of its class's docstring. May be empty."""
    asked = filters.defined.get(filter_type)
    return _first_paragraph((asked and vars(asked).get("__doc__")) or "")


@functools.lru_cache(maxsize=256)
def _comments(module: str) -> dict[str, str]:
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):  # a module without a file
        return {}
    return {
        name: " ".join(line.removeprefix("#:").strip() for line in text.splitlines())
        for text, name in _COMMENTED.findall(source)
    }


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
