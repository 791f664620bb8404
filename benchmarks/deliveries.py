"""Deliveries per second of one worker, beside bare Celery tasks that make the same HTTP call; statements of one."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import psutil
import requests

from commerce_coordinator.tests.service import until

from .rig import Site, cpu_seconds, floor_site, inside, median, our_site, quick_lms

#: Seconds that the far side takes.
DELAYS = (0, 0.05)


def measure(folder: Path, count: int = 1500, rounds: int = 3) -> dict[str, Any]:
    """{rates: {delay: {floor, ours: {per_second, cpu}}}, statements}; medians over the rounds.

    First `count` events wait in the broker, then a worker with two pool processes starts and is measured from the first
    call to the last: calls per second, and CPU milliseconds per task of all its processes.
    """
    place = folder / "statements"
    place.mkdir()
    with our_site(place) as site:
        statements = inside(site, "benchmarks.statements:per_delivery", webhook=site.webhook)
    rates = {str(delay): _rates(folder, delay, count if not delay else count // 2, rounds) for delay in DELAYS}
    return {"rates": rates, "statements": statements}


def _rates(folder: Path, delay: float, count: int, rounds: int) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {"floor": [], "ours": []}
    for turn in range(rounds):
        for name, site_of in (("floor", floor_site), ("ours", our_site)):
            place = folder / f"{name}-{delay}-{turn}"
            place.mkdir()
            with quick_lms(delay) as lms, site_of(place, LMS_URL=lms) as site:
                with site.web(), requests.Session() as session:
                    for _ in range(count):
                        site.send(session)
                found[name].append(_drain(site, lms, count))
    return {
        name: {figure: median([each[figure] for each in turns]) for figure in turns[0]} for name, turns in found.items()
    }


def _drain(site: Site, lms: str, number: int) -> dict[str, float]:
    with site.worker() as worker:
        until(lambda: count(lms), what="the first call", seconds=60)
        cpu = cpu_of(worker)
        seen = count(lms)
        until(lambda: count(lms) >= number, what=f"{number} calls", seconds=300)
        cpu = cpu_of(worker) - cpu
    at = sorted(calls(lms))
    return {"per_second": (len(at) - 1) / (at[-1] - at[0]), "cpu": cpu * 1000 / (number - seen)}


def count(lms: str) -> int:
    """How many calls there were; cheap to ask for."""
    return int(requests.get(f"{lms}/count/", timeout=10).json())


def calls(lms: str) -> list[float]:
    """When the far side was called."""
    return [at for times in requests.get(f"{lms}/calls/", timeout=10).json().values() for at in times]


def cpu_of(worker: psutil.Process) -> float:
    return cpu_seconds(worker) + sum(worker.cpu_times()[:2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1500, help="tasks to run")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), arguments.count, arguments.rounds)
        for delay, sides in found["rates"].items():
            floor, ours = sides["floor"], sides["ours"]
            print(
                f"far side takes {float(delay) * 1000:.0f} ms: floor {floor['per_second']:.0f}/s "
                f"({floor['cpu']:.2f} ms CPU), ours {ours['per_second']:.0f}/s ({ours['cpu']:.2f} ms CPU), "
                f"ratio {ours['per_second'] / floor['per_second']:.2f}"
            )
        print(f"statements per delivery: {found['statements']}")


if __name__ == "__main__":
    main()
