"""CPU milliseconds per accepted event on the web side, beside the floor's in the same run; statements per event."""

import argparse
import contextlib
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import requests

from .rig import Cost, Site, cost, figures_of, floor_site, inside, median, our_site


def measure(folder: Path, receivers: int = 1, rounds: int = 5, count: int = 300) -> dict[str, Any]:
    """Rounds of `count` events, ours and the floor's in turn, so that what else the machine does meets both.

    `bare` is the floor without middleware. A ratio is the median of the rounds' own ratios.
    """
    found: dict[str, list[Cost]] = {"floor": [], "bare": [], "ours": [], "empty": []}
    counted = {}
    with contextlib.ExitStack() as stack:
        sites: dict[str, tuple[Site, Any]] = {}
        bare_site = partial(floor_site, FLOOR_BARE="1")
        for name, site_of in (("floor", floor_site), ("bare", bare_site), ("ours", our_site)):
            place = folder / f"{name}-{receivers}"
            place.mkdir()
            site = stack.enter_context(site_of(place, receivers))
            counted[name] = inside(site, "benchmarks.statements:per_event", webhook=site.webhook)
            sites[name] = (site, stack.enter_context(site.web()))
        session = stack.enter_context(requests.Session())
        for site, web in sites.values():
            cost(web, partial(site.send, session), 100)  # warm
        for _ in range(rounds):
            for name, (site, web) in sites.items():
                found[name].append(cost(web, partial(site.send, session), count))
            site, web = sites["floor"]
            found["empty"].append(cost(web, partial(session.get, f"{site.url}/", timeout=20), count))
    return {
        **{name: figures_of(costs) for name, costs in found.items()},
        "ratio": _ratio(found, "floor"),
        "ratio_bare": _ratio(found, "bare"),
        "statements": counted,
    }


def _ratio(found: dict[str, list[Cost]], floor: str) -> float:
    return median([ours.cpu / other.cpu for ours, other in zip(found["ours"], found[floor], strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=300, help="events per round")
    parser.add_argument("--receivers", type=int, nargs="*", default=[1, 3])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for receivers in arguments.receivers:
            found = measure(Path(folder), receivers, arguments.rounds, arguments.count)
            print(
                f"{receivers} delivery task(s): ratio {found['ratio']:.2f}, to the bare one {found['ratio_bare']:.2f}"
            )
            for name in ("floor", "bare", "ours", "empty"):
                each = found[name]
                print(f"   {name:6} {each['cpu']:.2f} ms CPU, {each['wall']:.2f} ms; rounds: {each['rounds']}")
            print(f"   statements: {found['statements']}")


if __name__ == "__main__":
    main()
