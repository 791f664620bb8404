"""Deliveries per second of one worker, beside bare Celery tasks that make the same HTTP call. See README.rst."""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from commerce_coordinator.tests.service import until

from .rig import Site, cpu_seconds, floor_site, our_site, quick_lms


@dataclass(frozen=True)
class Rate:
    """Of one worker with two pool processes: calls per second, and CPU milliseconds per task of all its processes."""

    per_second: float
    cpu: float


def measure(folder: Path, count: int, delay: float = 0) -> dict[str, Rate]:
    """First `count` events wait in the broker, then a worker starts and is measured from the first call to the last."""
    found = {}
    for name, site_of in (("floor", floor_site), ("ours", our_site)):
        place = folder / f"{name}-{delay}"
        place.mkdir()
        with quick_lms(delay) as lms, site_of(place, LMS_URL=lms) as site:
            with site.web(), requests.Session() as session:
                for _ in range(count):
                    site.send(session)
            found[name] = _drain(site, lms, count)
    return found


def _drain(site: Site, lms: str, count: int) -> Rate:
    with site.worker() as worker:
        until(lambda: calls(lms), what="the first call", seconds=60)
        cpu = cpu_of(worker)
        seen = len(calls(lms))
        until(lambda: len(calls(lms)) >= count, what=f"{count} calls", seconds=300)
        cpu = cpu_of(worker) - cpu
    at = sorted(calls(lms))
    return Rate(per_second=(len(at) - 1) / (at[-1] - at[0]), cpu=cpu * 1000 / (count - seen))


def calls(lms: str) -> list[float]:
    """When the far side was called."""
    return [at for times in requests.get(f"{lms}/calls/", timeout=10).json().values() for at in times]


def cpu_of(worker: psutil.Process) -> float:
    return cpu_seconds(worker) + sum(worker.cpu_times()[:2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1500, help="tasks to run")
    parser.add_argument("--delay", type=float, nargs="*", default=[0, 0.05], help="seconds that the far side takes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for delay in arguments.delay:
            found = measure(Path(folder), arguments.count, delay)
            ours, floor = found["ours"], found["floor"]
            print(
                f"far side takes {delay * 1000:.0f} ms: floor {floor.per_second:.0f}/s ({floor.cpu:.2f} ms CPU), "
                f"ours {ours.per_second:.0f}/s ({ours.cpu:.2f} ms CPU), ratio {ours.per_second / floor.per_second:.2f}"
            )


if __name__ == "__main__":
    main()
