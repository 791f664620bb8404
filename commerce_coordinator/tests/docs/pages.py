"""README.rst and docs/**/*.rst as the tests read them: code, prose, tables, references."""

import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from commerce_coordinator.console.supervisor import ROOT

DOCS = ROOT / "docs"

_LITERAL = re.compile(r"``(.+?)``", re.DOTALL)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """The body of a `.. code-block::`, without its indentation."""

    language: str
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    path: Path
    text: str
    blocks: tuple[Block, ...]
    #: What is left when the code blocks are taken out.
    rest: str

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def literals(self) -> list[str]:
        """What stands between double backticks, each on one line."""
        return [" ".join(found.split()) for found in _LITERAL.findall(self.rest)]

    @property
    def code(self) -> str:
        """All that is written as code: blocks and literals, one below the other."""
        return "\n".join([block.text for block in self.blocks] + self.literals)

    @property
    def prose(self) -> str:
        """What is written as words: no code, no paths behind links."""
        return re.sub(r"<[^<>\s]+>", "", _LITERAL.sub("", self.rest))

    def rows(self, *, columns: int) -> Iterator[tuple[str, ...]]:
        """The rows of its list-tables that have so many columns."""
        for row in re.findall(r"^ {3}\* - .*(?:\n(?: {5}.*)?$)*", self.text, re.MULTILINE):
            cells = re.split(r"^ {3}\* -|^ {5}-(?= |$)", row, flags=re.MULTILINE)[1:]
            if len(cells) == columns:
                yield tuple(" ".join(cell.split()) for cell in cells)


def page(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    blocks, rest, lines = [], [], text.splitlines()
    number = 0
    while number < len(lines):
        found = re.match(r"( *)\.\. code-block:: *(\S*)", lines[number])
        if not found:
            rest.append(lines[number])
            number += 1
            continue
        outer, body = len(found[1]), []
        number += 1
        while number < len(lines) and (not lines[number].strip() or _indent(lines[number]) > outer):
            body.append(lines[number])
            number += 1
        indent = min((_indent(line) for line in body if line.strip()), default=0)
        blocks.append(Block(language=found[2], text="\n".join(line[indent:] for line in body).strip("\n")))
    return Page(path=path, text=text, blocks=tuple(blocks), rest="\n".join(rest))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


@functools.cache
def readme() -> Page:
    return page(ROOT / "README.rst")


@functools.cache
def pages() -> tuple[Page, ...]:
    """The README and every page of the documentation."""
    found = (path for path in sorted(DOCS.rglob("*.rst")) if "_build" not in path.parts)
    return (readme(), *(page(path) for path in found))
