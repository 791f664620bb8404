"""`make bench`: all of it in one run, as a table here and as table, figures and plot in docs/. See README.rst."""

import argparse
import csv
import io
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import (
    broker_dead,
    deliveries,
    endpoints,
    event_cost,
    machine,
    map_reading,
    old_rows,
    pages,
    plot,
    processes,
    report,
    sending,
    stream,
    throughput,
    verification,
)
from .rig import ROOT, missing

DOCS = ROOT / "docs"
FIGURES, TABLE, MACHINE = DOCS / "price" / "figures.json", DOCS / "price" / "table.csv", DOCS / "price" / "machine.csv"
PLOT = DOCS / "images" / "price.svg"


def steps(*, quick: bool, rows: int, seconds: int) -> dict[str, Callable[[Path], Any]]:
    """What is measured, by the name of its figures; each takes a folder of its own."""
    rounds = 3 if quick else 7
    return {
        "event": lambda folder: {
            str(receivers): event_cost.measure(folder, receivers, rounds, 100 if quick else 300) for receivers in (1, 3)
        },
        "throughput": lambda folder: throughput.measure(folder, rounds, 150 if quick else 400),
        "deliveries": lambda folder: deliveries.measure(folder, 300 if quick else 1500, 1 if quick else 3),
        "sending": lambda folder: sending.measure(folder, rounds, 100 if quick else 300),
        "broker_dead": lambda folder: broker_dead.measure(folder, rounds=1 if quick else 3),
        "processes": lambda folder: processes.measure(folder, 1 if quick else 3),
        "endpoints": lambda folder: endpoints.measure(folder, rounds, 50 if quick else 200),
        "map": lambda folder: map_reading.measure(folder, rounds),
        "verification": lambda folder: verification.measure(folder, rounds, 100 if quick else 300),
        "stream": lambda folder: stream.measure(folder, seconds),
        "pages": lambda folder: pages.measure(folder, rows * 4 // 5, rounds, 5 if quick else 20) if rows else {},
        "old_rows": lambda folder: old_rows.measure(folder, rows, rounds, 100 if quick else 200) if rows else {},
    }


def run(wanted: dict[str, Callable[[Path], Any]]) -> tuple[dict[str, Any], list[str]]:
    """The figures, and the names of the steps that failed; their lines then say that they were not measured."""
    figures: dict[str, Any] = {}
    failed = []
    for name, step in wanted.items():
        started = time.monotonic()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        try:
            with tempfile.TemporaryDirectory(prefix="cc-bench-") as folder:
                figures[name] = step(Path(folder))
        except Exception:  # the others' figures are worth having
            failed.append(name)
            traceback.print_exc()
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return figures, failed


def write(figures: dict[str, Any], table: list[report.Line]) -> None:
    """Into docs/, for price.rst."""
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text(report.as_csv(table), encoding="utf-8")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(figures["run"].items())
    MACHINE.write_text(text.getvalue(), encoding="utf-8")
    PLOT.write_text(plot.svg(table), encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that all of it works")
    parser.add_argument("--old-rows", type=int, help="0 leaves that part away (default: 5,000,000; quick: 200,000)")
    parser.add_argument("--seconds", type=int, help="of the stream (default: 300; quick: 20)")
    parser.add_argument("--only", nargs="*", choices=report.PARTS, help="these parts; docs/ stays as it is")
    parser.add_argument(
        "--merge", action="store_true", help="with --only: write these parts into docs/ beside the rest"
    )
    arguments = parser.parse_args()
    if missing():
        raise SystemExit(" ".join(missing()))
    quick = arguments.quick
    rows = arguments.old_rows if arguments.old_rows is not None else 200_000 if quick else old_rows.ROWS
    seconds = arguments.seconds or (20 if quick else 300)
    wanted = steps(quick=quick, rows=rows, seconds=seconds)
    described = machine.describe()
    started = time.monotonic()
    figures, failed = run({name: wanted[name] for name in wanted if not arguments.only or name in arguments.only})
    figures["run"] = {
        "Run": f"{datetime.now(UTC):%Y-%m-%d}, {'quick' if quick else 'whole'}, "
        f"{(time.monotonic() - started) / 60:.0f} minutes",
        **described,
    }
    figures = _rounded(figures)  # the table is made of what is written down
    table = report.lines(figures)
    if arguments.only and arguments.merge:
        # What ran when is told apart: figures of one run are compared with each other only.
        earlier = json.loads(FIGURES.read_text(encoding="utf-8"))
        later = {f"Run of {name}": figures["run"]["Run"] for name in arguments.only}
        measured = {name: each for name, each in figures.items() if name != "run"}
        figures = {**earlier, **measured, "run": {**earlier["run"], **later}}
        table = report.lines(figures)
        print(report.as_text(table))
        write(figures, table)
    elif arguments.only:
        print(report.as_text([line for line in table if line.met != report.NOT_MEASURED]))
    else:
        print(report.as_text(table))
        write(figures, table)
        print("\nWritten: " + ", ".join(str(path.relative_to(ROOT)) for path in (TABLE, MACHINE, FIGURES, PLOT)))
    if failed:
        raise SystemExit(f"Not measured, see above: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
