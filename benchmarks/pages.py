"""CPU milliseconds and statements of the operator's pages, with a million deliveries of which many are dead.

The newest rows are of this minute and five a second, so that the pages that count the last day meet their bounds. The
CPU is that of the web processes and, beside it, that of the database's server.
"""

import argparse
import contextlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import requests

from .rig import Cost, Site, cost, inside, median, our_site

#: Of all four tables together: a million deliveries, and a few thousand.
ROWS = 4_000_000
FEW = 20_000
APART = 0.2

USER, PASSWORD = "benchmark", "of-a-benchmark"

#: What is measured, by what the table calls it. `{event}` is an event of a story in the middle, `{user}` has many.
PAGES = {
    "first page": "/admin/",
    "dead letters": "/admin/dead-letters/",
    "dead letters of one error": "/admin/dead-letters/?error=GiveUp",
    "dead letters of one signal": (
        "/admin/dead-letters/?signal=commerce_coordinator.plugins.stripe.signals.payment_captured"
    ),
    "what a replay of all would do": "/admin/dead-letters/replay/?since=7d",
    "signal map": "/admin/map/",
    "trace": "/admin/trace/?q={event}",
    "traces of a user": "/admin/trace/?q={user}",
    "signals": "/admin/signals/",
    "deliveries": "/admin/deliveries/delivery/",
    "dispatches": "/admin/deliveries/dispatch/",
    "events": "/admin/inbox/inboxevent/",
    "attempts": "/admin/deliveries/attempt/",
    "deliveries, searched": "/admin/deliveries/delivery/?q={event}",
    "API: deliveries": "/api/v1/deliveries/?page_size=100",
    "API: dead letters": "/api/v1/dead-letters/?page_size=100",
    "API: trace": "/api/v1/traces/{event}/",
}


def measure(folder: Path, rows: int = ROWS, rounds: int = 5, count: int = 20) -> dict[str, Any]:
    """{deliveries, pages: {name: {cpu, database, wall, statements: {few, many}}}}; CPU and wall are medians, in ms."""
    with contextlib.ExitStack() as stack:
        sites = {}
        for name, number in (("few", FEW), ("many", rows)):
            place = folder / f"pages-{name}"
            place.mkdir()
            sites[name] = stack.enter_context(our_site(place))
            inside(sites[name], "benchmarks.old_rows:fill", rows=number, apart=APART, ago=60)
            inside(sites[name], "benchmarks.pages:spoil", rows=number // 4)
        statements = {name: inside(site, "benchmarks.pages:statements") for name, site in sites.items()}
        costs = _costs(sites["many"], rounds, count)
    pages = {
        name: {**each, "statements": {size: counted[name] for size, counted in statements.items()}}
        for name, each in costs.items()
    }
    return {"deliveries": rows // 4, "pages": pages}


def _costs(site: Site, rounds: int, count: int) -> dict[str, dict[str, float]]:
    with site.web() as web:
        session = _logged_in(site)
        found = {}
        for name, path in _addresses(site).items():
            get = partial(_get, session, f"{site.url}{path}")
            cost(web, get, 3)  # warm
            measured = [_beside_database(partial(cost, web, get, count), count) for _ in range(rounds)]
            found[name] = {
                "cpu": median([each.cpu for each, _ in measured]),
                "wall": median([each.wall for each, _ in measured]),
                "database": median([database for _, database in measured]),
            }
        return found


def _beside_database(work: Callable[[], Cost], count: int) -> tuple[Cost, float]:
    """The cost, and the milliseconds of CPU per call of the machine's MariaDB; nothing else should ask it meanwhile."""
    servers = [each for each in psutil.process_iter(["name"]) if each.info["name"] in ("mariadbd", "mysqld")]
    before = sum(sum(server.cpu_times()[:2]) for server in servers)
    done = work()
    return done, (sum(sum(server.cpu_times()[:2]) for server in servers) - before) * 1000 / count


def _logged_in(site: Site) -> requests.Session:
    session = requests.Session()
    login = f"{site.url}/admin/login/"
    session.get(login, timeout=20)
    # The session's cookies are for TLS alone in production, and here is none.
    for cookie in session.cookies:
        cookie.secure = False
    form = {"username": USER, "password": PASSWORD, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    session.post(login, data=form, headers={"Referer": login}, timeout=20, allow_redirects=False)
    for cookie in session.cookies:
        cookie.secure = False
    return session


def _get(session: requests.Session, address: str) -> None:
    """Raises RuntimeError for any answer that is not the page."""
    answer = session.get(address, timeout=60, allow_redirects=False)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} was answered with {answer.status_code}: {answer.text[:300]}")


def _addresses(site: Site) -> dict[str, str]:
    known: dict[str, str] = inside(site, "benchmarks.pages:known")
    return {name: path.format(**known) for name, path in PAGES.items()}


# --- Inside the site ---


def known() -> dict[str, str]:
    """An event with a story, and a person with more of them than a page shows."""
    from commerce_coordinator.core.deliveries.models import Dispatch
    from commerce_coordinator.core.inbox.models import InboxEvent

    middle = InboxEvent.objects.order_by("-pk")[1000]
    Dispatch.objects.filter(pk__in=list(Dispatch.objects.order_by("-pk").values_list("pk", flat=True)[:300])).update(
        person="person-of-many"
    )
    return {"event": middle.event_id, "user": "person-of-many"}


def spoil(rows: int) -> int:
    """Every 50th delivery is dead, every 500th event failed and dispatch unrouted; of the newest 20,000 dispatches each
    was sent by the delivery before it. And somebody may look. Returns the number of dead deliveries.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection

    from commerce_coordinator.core.deliveries.models import Delivery, Dispatch

    tail = "CONV(RIGHT(id, 12), 16, 10)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE deliveries_delivery SET state = 'dead', error_class = IF({tail} % 100, 'Retry', 'GiveUp') "
            f"WHERE {tail} % 50 = 0"
        )
        cursor.execute(f"UPDATE inbox_inboxevent SET state = 'failed' WHERE {tail} % 500 = 7")
        cursor.execute(f"UPDATE deliveries_dispatch SET unrouted = 1 WHERE {tail} % 500 = 9")
        newest = min(20_000, rows // 2)
        deliveries = Delivery.objects.order_by("-pk").values_list("pk", flat=True)[newest : newest * 2]
        dispatches = Dispatch.objects.order_by("-pk").values_list("pk", flat=True)[:newest]
        cursor.executemany(
            "UPDATE deliveries_dispatch SET parent_id = %s WHERE id = %s",
            [(str(parent), str(key)) for parent, key in zip(deliveries, dispatches, strict=True)],
        )
        for table in ("inbox_inboxevent", "deliveries_dispatch", "deliveries_delivery", "deliveries_attempt"):
            cursor.execute(f"ANALYZE TABLE {table}")
            cursor.fetchall()
    get_user_model().objects.create_superuser(USER, "", PASSWORD)
    return Delivery.objects.filter(state=Delivery.State.DEAD).count()


def statements() -> dict[str, int]:
    """Statements of each page, log-in's and session's among them, by what Django sends."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(get_user_model().objects.get(username=USER))
    named, found = known(), {}
    for name, path in PAGES.items():
        client.get(path.format(**named))  # what is read once per process
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path.format(**named), secure=True)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} was answered with {answer.status_code}")
        found[name] = len(captured)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), arguments.rows, arguments.rounds, arguments.count)
    for name, each in found["pages"].items():
        told = f"{each['cpu']:7.1f} ms web  {each['database']:7.1f} ms database  {each['wall']:7.1f} ms"
        print(f"{name:32} {told}  statements {each['statements']}")


if __name__ == "__main__":
    main()
