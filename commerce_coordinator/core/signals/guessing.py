"""Which name was meant? For the hints of mistakes."""

import difflib
import importlib
from collections.abc import Callable, Iterable
from typing import Any

#: How near two texts are, and how near each part of two dotted paths.
NEAR, NEAR_PART = 0.8, 0.6


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """` Did you mean ...?` with a space before it, or nothing where no known name is near."""
    written = str(name)
    near = difflib.get_close_matches(written, sorted(set(known)), n=10, cutoff=NEAR)
    found = next((each for each in near if _may_be_meant(written, each)), None)
    return f" Did you mean {found}?" if found else ""


def names_beside(path: object, is_wanted: Callable[[Any], bool]) -> list[str]:
    """What of this kind the module of a dotted path has, as dotted paths; empty where there is no such module."""
    module_path, _, _ = str(path).rpartition(".")
    try:
        module = importlib.import_module(module_path)
    except Exception:  # the mistake itself says what is wrong with the module
        return []
    return [f"{module_path}.{name}" for name, value in vars(module).items() if name[0] != "_" and is_wanted(value)]


def _may_be_meant(written: str, known: str) -> bool:
    """Part by part: of two paths that begin alike, everything would be near."""
    one, other = written.split("."), known.split(".")
    return len(one) != len(other) or all(
        difflib.SequenceMatcher(None, a, b).ratio() >= NEAR_PART for a, b in zip(one, other, strict=True)
    )
