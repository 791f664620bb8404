"""Each decision has a number, a context and consequences; each dependency has a reason."""

import itertools
import re

import pytest

from .pages import DOCS, ROOT, Page, page

DECISIONS = [page(path) for path in sorted((DOCS / "decisions").glob("0*.rst"))]


def test_decisions_are_numbered_without_gaps() -> None:
    assert [each.path.name[:4] for each in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_decision_says_why_what_and_what_follows(decision: Page) -> None:
    lines = decision.text.splitlines()
    assert re.match(rf"{decision.path.name[:4]}: \S", lines[0])
    headings = [above for above, below in itertools.pairwise(lines) if re.fullmatch(r"\*+", below)]
    assert [each for each in headings if each != "Measured"] == ["Context", "Decision", "Consequences"]


def test_each_dependency_has_a_reason() -> None:
    reasons = next(each for each in DECISIONS if "dependencies" in each.path.name)
    told = {literal for row in reasons.rows(columns=2) for literal in re.findall(r"``(.+?)``", row[0])}
    requirements = [path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.in")]
    assert told == set(re.findall(r"^([A-Za-z][\w-]*)", "\n".join(requirements), re.MULTILINE))
