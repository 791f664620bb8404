"""How long an event waits that comes while Redis is dead: from Redis answering again to the call on the far side."""

import argparse
import contextlib
import json
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from commerce_coordinator.tests.service import until

from .deliveries import calls
from .rig import Site, median, our_site, quick_lms


def measure(folder: Path, away: tuple[float, ...] = (2, 20), rounds: int = 3) -> list[dict[str, Any]]:
    """For each time that Redis is away, in seconds, the medians of the rounds.

    answered: milliseconds of the webhook's answer while Redis is dead. published, connected, called: seconds from Redis
    answering again until the relay had published, the worker was connected, the far side was called.
    """
    place = folder / "broker-dead"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        lms = stack.enter_context(quick_lms())
        site = stack.enter_context(our_site(place, LMS_URL=lms))
        site.log = place / "log"
        stack.enter_context(site.web())
        stack.enter_context(site.relay())
        stack.enter_context(site.worker())
        with requests.Session() as session:
            site.send(session)
            until(lambda: calls(lms), what="the first call")
            return [
                _medians(seconds, [_outage(site, session, lms, seconds) for _ in range(rounds)]) for seconds in away
            ]


def _outage(site: Site, session: requests.Session, lms: str, seconds: float) -> dict[str, float]:
    assert site.log is not None
    earlier = site.log.stat().st_size
    known = len(calls(lms))
    site.redis.stop()
    time.sleep(0.5)  # by then the worker has noticed
    posted = time.perf_counter()
    site.send(session)
    answered = (time.perf_counter() - posted) * 1000
    time.sleep(seconds - 0.5)
    site.redis.start()
    back = time.time()
    until(lambda: len(calls(lms)) > known, what="the call on the far side", seconds=120)
    called = max(calls(lms))
    log = site.log.read_bytes()[earlier:].decode()
    return {
        "answered": answered,
        "published": _first(log, "Published due deliveries.", after=back) - back,
        "connected": _first(log, "Connected to redis", after=back) - back,
        "called": called - back,
    }


def _first(log: str, text: str, after: float) -> float:
    """When the first line with this text was written, after a moment; NaN if it was not. Log lines are JSON."""
    for line in log.splitlines():
        found = text in line and _time_of(line)
        if found and found >= after - 0.2:
            return found
    return float("nan")


def _time_of(line: str) -> float:
    return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()


def _medians(away: float, rounds: list[dict[str, float]]) -> dict[str, Any]:
    return {"away": away, **{name: median([each[name] for each in rounds]) for name in rounds[0]}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--away", type=float, nargs="*", default=[2, 20], help="seconds that Redis is dead")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for each in measure(Path(folder), tuple(arguments.away), arguments.rounds):
            print(
                f"Redis away for {each['away']:.0f} s: answered in {each['answered']:.0f} ms; after it is back, "
                f"published in {each['published']:.1f} s, worker connected in {each['connected']:.1f} s, "
                f"called in {each['called']:.1f} s"
            )


if __name__ == "__main__":
    main()
