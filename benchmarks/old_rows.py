"""The same with millions of old rows: an event, a delivery, a round of the relay, a trace, beside those without any.

The rows are settled ones, as retention leaves them: as many events, dispatches, deliveries and attempts, the latest a
day old, the bodies of all but the youngest tenth emptied. Two databases side by side, measured in turn.
"""

import argparse
import contextlib
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import requests

from .rig import ROOT, Cost, cost, figures_of, inside, median, our_site

ROWS = 5_000_000
CHUNK = 50_000
TABLES = ("inbox_inboxevent", "deliveries_dispatch", "deliveries_delivery", "deliveries_attempt")

#: One row every so many seconds.
APART = 20


def measure(folder: Path, rows: int = ROWS, rounds: int = 5, count: int = 200) -> dict[str, Any]:
    """What making the rows took, and {event, relay, due, delivery, trace: {none, old: {cpu, wall, ...}, ratio}}.

    relay is a round with nothing due, due one due delivery in a round of `count`; rows_read is what the database looked
    at for one. Ratios are medians of the rounds' own ratios of CPU time.
    """
    with contextlib.ExitStack() as stack:
        sites = {}
        for name in ("none", "old"):
            place = folder / f"rows-{name}"
            place.mkdir()
            sites[name] = stack.enter_context(our_site(place))
        started = time.perf_counter()
        made = inside(sites["old"], "benchmarks.old_rows:fill", rows=rows)
        made["seconds"] = time.perf_counter() - started
        webs = {name: stack.enter_context(site.web()) for name, site in sites.items()}
        session = stack.enter_context(requests.Session())
        events: dict[str, list[Cost]] = {"none": [], "old": []}
        deeds: dict[str, list[dict[str, Any]]] = {"none": [], "old": []}
        for name, site in sites.items():
            cost(webs[name], partial(site.send, session), 100)  # warm
        for _ in range(rounds):
            for name, site in sites.items():
                events[name].append(cost(webs[name], partial(site.send, session), count))
            for name, site in sites.items():
                deeds[name].append(inside(site, "benchmarks.old_rows:deeds", webhook=site.webhook, count=count))
    return {"made": made, "event": _events_beside(events), **_deeds_beside(deeds)}


def _events_beside(events: dict[str, list[Cost]]) -> dict[str, Any]:
    ratios = [old.cpu / none.cpu for old, none in zip(events["old"], events["none"], strict=True)]
    return {**{name: figures_of(costs) for name, costs in events.items()}, "ratio": median(ratios)}


def _deeds_beside(deeds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    found = {}
    for deed in deeds["none"][0]:
        sides = {
            name: {figure: median([each[deed][figure] for each in rounds]) for figure in rounds[0][deed]}
            for name, rounds in deeds.items()
        }
        pairs = zip(deeds["old"], deeds["none"], strict=True)
        found[deed] = {**sides, "ratio": median([old[deed]["cpu"] / none[deed]["cpu"] for old, none in pairs])}
    return found


def deeds(webhook: str, count: int) -> dict[str, Any]:
    """Runs inside the site. What is open is settled first, so that each round meets the same."""
    from django.test import Client
    from django.utils import timezone

    from commerce_coordinator.core import trace
    from commerce_coordinator.core.deliveries.models import Delivery
    from commerce_coordinator.core.deliveries.relay import Relay
    from commerce_coordinator.core.deliveries.tasks import deliver
    from commerce_coordinator.core.inbox.models import InboxEvent

    from .inside import each, rows_read
    from .statements import accept

    is_open = Delivery.objects.filter(state=Delivery.State.PENDING)
    relay = Relay()
    for key in is_open.values_list("pk", flat=True):
        deliver(key.hex)
    relay.tick()
    client = Client(HTTP_HOST="127.0.0.1")
    for _ in range(count):
        accept(client, webhook)
    keys = [key.hex for key in is_open.values_list("pk", flat=True)]
    events = list(InboxEvent.objects.order_by("-id").values_list("event_id", flat=True)[:count])
    is_open.update(wake_at=timezone.now())
    due = each(lambda _: relay.tick(), [None])
    return {
        "relay": {**each(lambda _: relay.tick(), range(50)), "rows_read": rows_read(relay.tick)},
        "due": {clock: milliseconds / count for clock, milliseconds in due.items()},
        "delivery": {"rows_read": rows_read(lambda: deliver(keys[0])), **each(deliver, keys[1:])},
        "trace": {**each(trace.find, events), "rows_read": rows_read(lambda: trace.find(events[0]))},
    }


def fill(rows: int, apart: float = APART, ago: float = 86_400) -> dict[str, float]:
    """Runs inside the site: makes the rows, whose keys are in the order of time as ours are. Returns how much it is.

    apart: seconds between two of a table; ago: how old the latest are, in seconds.
    """
    from django.db import connection

    number = rows // len(TABLES)
    statements = (ROOT / "benchmarks" / "old_rows.sql").read_text(encoding="utf-8").split(";\n")
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0, unique_checks = 0")
        for first in range(1, number + 1, CHUNK):
            last = min(first + CHUNK - 1, number)
            cursor.execute(_moments(first, last, number, latest=int(time.time() - ago), apart=apart))
            for statement in filter(str.strip, statements):
                cursor.execute(statement)
        cursor.execute("DROP VIEW old_moment")
        for table in TABLES:
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
        cursor.execute(
            "SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema = DATABASE()"
        )
        return {"rows": number * len(TABLES), "megabytes": float(cursor.fetchone()[0]) / 1e6}


def _moments(first: int, last: int, number: int, *, latest: int, apart: float) -> str:
    """The view that the statements read: for each row its time, and the parts of its keys."""
    at = f"({latest} - {apart} * ({number} - seq))"
    return f"""
        CREATE OR REPLACE VIEW old_moment AS SELECT
            seq, seq > {number * 0.9} AS young, FROM_UNIXTIME({at}) AS at,
            LPAD(LOWER(HEX(FLOOR({at} * 1000))), 12, '0') AS moment, LPAD(LOWER(HEX(seq)), 12, '0') AS tail
        FROM seq_{first}_to_{last}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=200, help="events, deliveries and traces per round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), arguments.rows, arguments.rounds, arguments.count)
        made = found.pop("made")
        print(f"{made['rows']} rows, {made['megabytes']:.0f} MB, made in {made['seconds']:.0f} s")
        for name, each in found.items():
            print(f"{name:8} ratio {each['ratio']:.2f}, without {each['none']}, with them {each['old']}")


if __name__ == "__main__":
    main()
