"""docs/price.rst: the table says what was measured, and shows a bound that is not met as not met."""

import csv
import json
from xml.etree import ElementTree

import pytest

from benchmarks import plot, report
from benchmarks.client import Answer
from benchmarks.stream import matched

from .pages import DOCS, page

TABLE = list(csv.reader((DOCS / "price" / "table.csv").read_text(encoding="utf-8").splitlines()))
FIGURES = json.loads((DOCS / "price" / "figures.json").read_text(encoding="utf-8"))

#: What the price is made of; each begins a line of the table.
ROWS = [
    "CPU ms per accepted event, one delivery task",
    "CPU ms per accepted event, three delivery tasks",
    "Statements per accepted event",
    *(f"Throughput, {count}" for count in ("1 connection", "8 connections", "32 connections")),
    *(f"{name}, {count}" for name in ("p50", "p99") for count in ("1 connection", "8 connections", "32 connections")),
    "200 events/s",
    "Webhook to enrolled, Redis dead",
    "Deliveries/s per worker",
    "Statements per delivery",
    *(f"send_robust to {count}" for count in ("1 inline receiver", "3 inline receivers", "10 inline receivers")),
    "With",
    *(f"make run, {name}" for name in ("supervisor", "web", "worker", "relay")),
]


@pytest.mark.parametrize("what", ROWS)
def test_table_has_every_row(what: str) -> None:
    assert any(row[0].startswith(what) for row in TABLE)


def test_table_and_plot_are_those_of_the_figures() -> None:
    table = report.lines(FIGURES)
    assert [tuple(row) for row in TABLE] == [report.HEADINGS, *(line.cells() for line in table)]
    assert (DOCS / "images" / "price.svg").read_text(encoding="utf-8") == plot.svg(table)


def test_page_shows_the_table_the_plot_and_the_machine() -> None:
    text = page(DOCS / "price.rst").text
    for shown in ("price/table.csv", "price/machine.csv", "images/price.svg"):
        assert shown in text
        assert (DOCS / shown).exists()


@pytest.mark.parametrize(
    ("bound", "met"),
    [
        (report.at_most(1.3, 1.304), "yes"),
        (report.at_most(1.3, 1.31), "NO"),
        (report.at_least(0.8, 0.8), "yes"),
        (report.at_least(0.8, 0.79), "NO"),
    ],
)
def test_bound_that_is_not_met_is_shown_as_not_met(bound: dict[str, object], met: str) -> None:
    line = report.Line(what="Something", **bound)  # type: ignore[arg-type]
    assert line.cells()[-1] == met
    assert (plot.BAD in plot.svg([line])) == (met == "NO")


def test_bound_that_is_no_ratio_can_be_missed() -> None:
    figures = json.loads(json.dumps(FIGURES))
    figures["stream"].update(missing=1)
    figures["broker_dead"][0].update(called=9.0)
    figures["deliveries"]["statements"].update(select=4)
    missed = {line.what for line in report.lines(figures) if line.met == report.NO}
    for start in ("200 events/s", "Webhook to enrolled", "Statements per delivery"):
        assert any(what.startswith(start) for what in missed), start


def test_what_was_not_measured_says_so() -> None:
    told = report.lines({"stream": {}})
    assert len(told) == len(report.PARTS)
    assert {line.met for line in told} == {report.NOT_MEASURED}


def test_event_that_did_not_arrive_once_is_counted() -> None:
    answers = [Answer(status=status, due=10.0, answered=10.1) for status in (200, 200, 200, 503)]
    found = matched(["A", "B", "C", "D"], answers, {"A": [10.5], "B": [11.0, 12.0]})
    assert (found["accepted"], found["missing"], found["twice"]) == (3, 1, 1)
    assert found["to_call"]["max"] == pytest.approx(1000)


def test_plot_is_well_formed_whatever_its_lines_are_called() -> None:
    line = report.Line(what="a < b & c", **report.at_most(2, 40))
    assert ElementTree.fromstring(plot.svg([line])).tag.endswith("svg")
