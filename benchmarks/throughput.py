"""Requests per second, p50 and p99 at 1, 8 and 32 connections, ours and the floor's in turn."""

import argparse
import contextlib
import tempfile
from pathlib import Path
from typing import Any

from commerce_coordinator.plugins.demo_lms.purchase import fresh_order_number

from .client import Answer, closed_loop, encode
from .rig import Site, floor_site, median, our_site, percentile

CONNECTIONS = (1, 8, 32)


def measure(folder: Path, rounds: int = 5, count: int = 400) -> dict[str, Any]:
    """{connections: {floor, ours: {per_second, p50, p99}}}; `count` requests per round, medians over the rounds."""
    found: dict[int, dict[str, list[dict[str, float]]]] = {
        connections: {"floor": [], "ours": []} for connections in CONNECTIONS
    }
    with contextlib.ExitStack() as stack:
        sites: dict[str, Site] = {}
        for name, site_of in (("floor", floor_site), ("ours", our_site)):
            place = folder / f"{name}-throughput"
            place.mkdir()
            sites[name] = stack.enter_context(site_of(place))
            stack.enter_context(sites[name].web())
        for site in sites.values():
            _round(site, 8, 200)  # warm
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for name, site in sites.items():
                    found[connections][name].append(_round(site, connections, count))
    return {
        str(connections): {name: _medians(rounds) for name, rounds in sides.items()}
        for connections, sides in found.items()
    }


def _round(site: Site, connections: int, count: int) -> dict[str, float]:
    requests = [encode(site, fresh_order_number()) for _ in range(count)]
    answers = closed_loop(site.port, requests, connections)
    refused = [each.status for each in answers if each.status != 200]
    if refused:
        raise RuntimeError(f"{site.name} answered {len(refused)} of {count} events with no 200, but {set(refused)}.")
    return rates(answers)


def rates(answers: list[Answer]) -> dict[str, float]:
    """Requests per second from the first sent to the last answered; milliseconds each took."""
    took = [each.milliseconds for each in answers]
    seconds = max(each.answered for each in answers) - min(each.due for each in answers)
    return {"per_second": len(answers) / seconds, "p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median([each[name] for each in rounds]) for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=400, help="requests per round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for connections, sides in measure(Path(folder), arguments.rounds, arguments.count).items():
            for name, each in sides.items():
                print(
                    f"{connections:>2} connection(s), {name:5}: {each['per_second']:.0f}/s, "
                    f"p50 {each['p50']:.1f} ms, p99 {each['p99']:.1f} ms"
                )


if __name__ == "__main__":
    main()
