"""A point that no test uses fails the suite, and so does one that the engine never comes to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from commerce_coordinator.console.supervisor import ROOT
from commerce_coordinator.core.crash_points import CRASH_POINTS

from . import test_pairs, test_points
from .points import FIRST, SECOND, alone, in_a_row

PACKAGE = ROOT / "commerce_coordinator"


def _calls_of_reached() -> Iterator[tuple[Path, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "tests" in path.relative_to(PACKAGE).parts or path.name == "crash_points.py":
            continue
        source = path.read_text(encoding="utf-8")
        if "reached" in source:
            yield from (
                (path, node)
                for node in ast.walk(ast.parse(source))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reached"
            )


CALLED: dict[str, list[Path]] = {}
UNNAMED: list[Path] = []
for _path, _call in _calls_of_reached():
    if _call.args and isinstance(_call.args[0], ast.Constant):
        CALLED.setdefault(_call.args[0].value, []).append(_path)
    else:
        UNNAMED.append(_path)


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_point_is_come_to_at_one_place_of_the_engine(point: str) -> None:
    assert len(CALLED.get(point, [])) == 1


def test_engine_comes_to_no_point_that_is_not_listed() -> None:
    assert sorted(CALLED) == sorted(CRASH_POINTS)
    assert not UNNAMED, "A point's name must stand in the call."


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_point_has_its_deaths(point: str) -> None:
    assert alone(point).fuses[-1].partition("@")[0] == point
    for other in CRASH_POINTS:
        deaths = in_a_row(point, other)
        assert deaths.fuses[deaths.first].partition("@")[0] == point
        assert deaths.fuses[-1].partition("@")[0] == other
        assert len(deaths.fuses) > deaths.first + 1


def test_no_deaths_are_told_of_points_that_are_not_there() -> None:
    assert set(FIRST) == set(SECOND) == set(CRASH_POINTS)


def test_processes_are_killed_at_all_points_and_all_ordered_pairs() -> None:
    def values(function: object) -> dict[str, object]:
        return {mark.args[0]: mark.args[1] for mark in function.pytestmark if mark.name == "parametrize"}

    assert values(test_points.test_process_killed_at_a_point) == {"point": CRASH_POINTS}
    assert values(test_pairs.test_processes_killed_at_two_points) == {"first": CRASH_POINTS, "second": CRASH_POINTS}
