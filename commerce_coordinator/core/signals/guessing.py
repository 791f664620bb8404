"""Which name was meant? For the hints of mistakes."""

import difflib
import importlib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """` Did you mean ...?` with a space before it, or nothing where no known name is near."""
    near = difflib.get_close_matches(str(name), sorted(set(known)), n=1, cutoff=0.8)
    return f" Did you mean {near[0]}?" if near else ""


def names_beside(path: object) -> list[str]:
    """What the module of a dotted path defines, as dotted paths; empty where there is no such module."""
    module_path, _, _ = str(path).rpartition(".")
    try:
        module = importlib.import_module(module_path)
    except Exception:  # the mistake itself says what is wrong with the module
        return []
    return [f"{module_path}.{name}" for name in vars(module) if not name.startswith("_")]
