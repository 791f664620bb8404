"""Redelivered, early, stale, unknown and garbage messages change no row and call nobody; the worker goes on."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from .broker_messages import ENROLL, GARBAGE, Broker, calling, protocol_1
from .service import Purchase, RunningService, until

pytestmark = pytest.mark.slow

#: Rows as they may be when a message comes too early or too late; their times are far from now.
ROWS = """
import datetime, json
from django.utils import timezone
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.ids import uuid7
settled = Delivery.objects.filter(receiver=RECEIVER, state="succeeded").select_related("dispatch").first()
later = timezone.now() + datetime.timedelta(hours=1)
rows = {
    "early": {"state": "pending", "attempts": 3, "next_attempt_at": later, "wake_at": later, "generation": 1},
    "held by another": {"state": "running", "attempts": 1, "claim_id": uuid7(), "lease_until": later, "wake_at": later},
    "dead": {"state": "dead", "attempts": 9},
    "cancelled": {"state": "cancelled"},
    "replayed and settled since": {"state": "succeeded", "attempts": 1, "generation": 2},
}
ids = {"settled": settled.pk.hex}
for name, values in rows.items():
    dispatch = settled.dispatch
    dispatch.pk, dispatch.dedupe_key, dispatch.subject = uuid7(), uuid7().hex, "EDX-FAR"
    dispatch.save(force_insert=True)
    values = {"dispatch": dispatch, "receiver": RECEIVER, "kind": "task", "idempotency_key": uuid7().hex, **values}
    ids[name] = Delivery.objects.create(**values).pk.hex
print(json.dumps(ids))
"""

TABLES = ("inbox_inboxevent", "deliveries_dispatch", "deliveries_delivery", "deliveries_attempt")


@pytest.fixture(scope="module")
def purchase(service: RunningService) -> Purchase:
    """A purchase that went through before."""
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    purchase.assert_in_effect_once()
    return purchase


@pytest.fixture(scope="module")
def ids(service: RunningService, purchase: Purchase) -> dict[str, str]:
    """Delivery ids by what became of them."""
    script = ROWS.replace("RECEIVER", repr(ENROLL))
    found: dict[str, str] = json.loads(service.manage("shell", "-v0", "-c", script).stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def broker(service: RunningService) -> Iterator[Broker]:
    with contextlib.closing(Broker(service)) as broker:
        yield broker


@pytest.fixture(autouse=True)
def nothing_changes(service: RunningService, purchase: Purchase, ids: dict[str, str], broker: Broker) -> Iterator[None]:
    """Around each test: the same rows, the same calls on the LMS, the same processes; and a purchase goes through."""
    before, called, processes = rows(service), service.calls(purchase.username), pids(service)
    yield
    until(broker.is_empty, what=f"all messages taken and acknowledged; last lines:\n{service.tail()}")
    assert service["worker"].is_running, service.tail()
    assert rows(service) == before
    assert service.calls(purchase.username) == called
    assert pids(service) == processes, "a process of the worker's pool ended"
    other = Purchase(service)
    assert other.post().status_code == 200
    other.assert_in_effect_once()


def rows(service: RunningService) -> dict[str, list[Any]]:
    """All that is stored of events and deliveries, straight from the database."""
    url = service.instance.env.get("DATABASE_URL")
    if url:
        import MySQLdb

        address = urlsplit(url)
        password = address.password or ""
        host, user, name = address.hostname or "", address.username or "", address.path[1:]
        connection: Any = MySQLdb.connect(
            host=host, port=address.port or 3306, user=user, password=password, database=name
        )
    else:
        connection = sqlite3.connect(service.instance.data / "commerce_coordinator.sqlite3")
    with contextlib.closing(connection):
        cursor = connection.cursor()
        found = {}
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            found[table] = list(cursor.fetchall())
        return found


def pids(service: RunningService) -> set[int]:
    worker = psutil.Process(service["worker"].pid)
    return {worker.pid, *(child.pid for child in worker.children())}


def test_garbage(service: RunningService, broker: Broker, ids: dict[str, str]) -> None:
    before = len(service.lines_with("Unreadable message"))
    for name, make in GARBAGE.items():
        broker.put(make(ids["settled"]))
        until(
            lambda: broker.is_empty() or not service["worker"].is_running,
            what=f"the message {name!r} taken and acknowledged; last lines:\n{service.tail()}",
        )
        assert service["worker"].is_running, f"{name!r} ended the worker:\n{service.tail()}"
    lines = service.lines_with("Unreadable message")
    assert len(lines) > before, "an operator can see that there was something"
    assert not [line for line in lines if "secret" in line], "and not what"


@pytest.mark.parametrize(
    "kind", ["settled", "early", "held by another", "dead", "cancelled", "replayed and settled since"]
)
def test_messages_for_what_is_not_due(broker: Broker, ids: dict[str, str], kind: str) -> None:
    same = calling(ENROLL, ids[kind])
    for raw in (same, same, same, calling(ENROLL, ids[kind]), protocol_1(ENROLL, ids[kind])):
        broker.put(raw)


def test_message_for_another_receiver_than_the_delivery_has(broker: Broker, ids: dict[str, str]) -> None:
    broker.put(calling("commerce_coordinator.plugins.notifications.tasks.send_order_confirmation", ids["settled"]))
    broker.put(calling("commerce_coordinator.core.deliveries.tasks.run_inline_receiver", ids["early"]))


def test_message_for_a_delivery_that_is_not_there(broker: Broker) -> None:
    broker.put(calling(ENROLL, "0" * 32))
    broker.put(calling(ENROLL, "01a209d2e7c8775d960f73bd7bc2f306"))


def test_canary_of_another_kind(broker: Broker) -> None:
    broker.put(calling("commerce_coordinator.core.deliveries.tasks.canary"))
    broker.put(calling("commerce_coordinator.core.deliveries.tasks.canary", "secret"))
