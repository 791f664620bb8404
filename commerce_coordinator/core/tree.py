"""Trees of text: labels and branches. Pure functions; colour is added by whoever prints."""

import dataclasses
from collections.abc import Iterator


@dataclasses.dataclass(kw_only=True)
class Branch:
    """A line and what hangs below it."""

    label: str
    below: "list[Branch]" = dataclasses.field(default_factory=list)


def lines(branch: Branch) -> Iterator[str]:
    """The tree line by line, the root first."""
    yield branch.label
    yield from _below(branch, "")


def _below(branch: Branch, indent: str) -> Iterator[str]:
    for child in branch.below:
        last = child is branch.below[-1]
        yield f"{indent}{'└─ ' if last else '├─ '}{child.label}"
        yield from _below(child, indent + ("   " if last else "│  "))
