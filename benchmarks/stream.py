"""200 events a second for minutes; then every order number is looked for at the far side.

Open loop: an event is sent at its time, whatever became of those before, and its waiting counts from that time. What
the machine cannot keep up with piles up in the broker and is waited for; the figures say how long that took.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from .client import Answer, encode, open_loop
from .rig import our_site, percentile, quick_lms

#: The backlog is given up when nothing arrives for so many seconds: longer than the relay's first gaps.
PATIENCE = 120


def measure(folder: Path, seconds: int = 300, per_second: int = 200, workers: int = 1) -> dict[str, Any]:
    """Did each accepted event arrive, exactly once; milliseconds from its time to the call on the far side."""
    place = folder / "stream"
    place.mkdir()
    numbers = [f"EDX-{number:09}" for number in range(seconds * per_second)]
    with contextlib.ExitStack() as stack:
        lms = stack.enter_context(quick_lms())
        site = stack.enter_context(our_site(place, LMS_URL=lms))
        stack.enter_context(site.web())
        stack.enter_context(site.relay())
        for _ in range(workers):
            stack.enter_context(site.worker())
        with requests.Session() as session:  # warm, all the way
            for number in range(20):
                site.send(session, f"WARM-{number}")
        _wait_for(lms, 20)
        # Signed ahead for the second each will be sent in: encoding takes its time, too.
        start = time.time() + 2 + len(numbers) / 4000
        sent = [encode(site, number, at=start + turn / per_second) for turn, number in enumerate(numbers)]
        start = max(start, time.time() + 0.5)
        answers = open_loop(site.port, sent, per_second, start)
        ended = time.time()
        accepted = [number for number, answer in zip(numbers, answers, strict=True) if answer.status == 200]
        _wait_for(lms, 20 + len(accepted))
        calls = _calls(lms)
    found = matched(numbers, answers, calls)
    last = max((calls[number][-1] for number in accepted if number in calls), default=ended)
    return {
        **found,
        "seconds": seconds,
        "asked_per_second": per_second,
        "sent_per_second": len(numbers) / (ended - start),
        "workers": workers,
        "backlog_seconds": max(0.0, last - (start + seconds)),
    }


def matched(numbers: Sequence[str], answers: Sequence[Answer], calls: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Each order number beside the calls on the far side, by number."""
    accepted = {number: each for number, each in zip(numbers, answers, strict=True) if each.status == 200}
    waits = [(calls[number][0] - each.due) * 1000 for number, each in accepted.items() if calls.get(number)]
    answered = [each.milliseconds for each in accepted.values()]
    return {
        "events": len(numbers),
        "accepted": len(accepted),
        "missing": sum(not calls.get(number) for number in accepted),
        "twice": sum(len(calls.get(number, ())) > 1 for number in accepted),
        "to_call": _spread(waits),
        "to_answer": _spread(answered),
    }


def _spread(milliseconds: list[float]) -> dict[str, float]:
    if not milliseconds:
        return {}
    return {
        "p50": percentile(milliseconds, 0.5),
        "p99": percentile(milliseconds, 0.99),
        "max": max(milliseconds),
    }


def _calls(lms: str) -> dict[str, list[float]]:
    found = requests.get(f"{lms}/calls/", timeout=60).json()
    return {path.strip("/"): times for path, times in found.items()}


def _wait_for(lms: str, count: int) -> None:
    """Until so many calls came, or none came for PATIENCE seconds."""
    seen, since = -1, time.monotonic()
    while seen < count and time.monotonic() - since < PATIENCE:
        now = requests.get(f"{lms}/count/", timeout=60).json()
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, value in measure(Path(folder), arguments.seconds, arguments.per_second, arguments.workers).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
