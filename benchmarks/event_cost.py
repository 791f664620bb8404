"""CPU milliseconds per accepted event on the web side, beside the floor's in the same run. See README.rst."""

import argparse
import contextlib
import tempfile
from functools import partial
from pathlib import Path

import requests

from .rig import Cost, cost, floor_site, median, our_site


def measure(folder: Path, receivers: int, rounds: int, count: int) -> dict[str, list[Cost]]:
    """Rounds of `count` events, ours and the floor's in turn, so that what else the machine does meets both."""
    found: dict[str, list[Cost]] = {"floor": [], "ours": [], "empty": []}
    with contextlib.ExitStack() as stack:
        sites = {}
        for name, site_of in (("floor", floor_site), ("ours", our_site)):
            place = folder / f"{name}-{receivers}"
            place.mkdir()
            site = stack.enter_context(site_of(place, receivers))
            sites[name] = (site, stack.enter_context(site.web()))
        session = stack.enter_context(requests.Session())
        for site, web in sites.values():
            cost(web, partial(site.send, session), 100)  # warm
        for _ in range(rounds):
            for name, (site, web) in sites.items():
                found[name].append(cost(web, partial(site.send, session), count))
            site, web = sites["floor"]
            found["empty"].append(cost(web, partial(session.get, f"{site.url}/", timeout=20), count))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=300, help="events per round")
    parser.add_argument("--receivers", type=int, nargs="*", default=[1, 3])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for receivers in arguments.receivers:
            found = measure(Path(folder), receivers, arguments.rounds, arguments.count)
            cpu = {name: median([each.cpu for each in costs]) for name, costs in found.items()}
            wall = {name: median([each.wall for each in costs]) for name, costs in found.items()}
            print(
                f"{receivers} delivery task(s): floor {cpu['floor']:.2f} ms, ours {cpu['ours']:.2f} ms, "
                f"ratio {cpu['ours'] / cpu['floor']:.2f}; empty view {cpu['empty']:.2f} ms; "
                f"wall {wall['floor']:.2f} and {wall['ours']:.2f} ms"
            )
            print(
                "   rounds:",
                [(round(f.cpu, 2), round(o.cpu, 2)) for f, o in zip(found["floor"], found["ours"], strict=True)],
            )


if __name__ == "__main__":
    main()
