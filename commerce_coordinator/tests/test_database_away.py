"""A database that is away or hangs: 503 within the time-outs, nothing half kept, and well again by itself."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from commerce_coordinator.conftest import MARIADB_URL

from .proxy import Proxy
from .service import Purchase, RunningService, mariadb_database


@pytest.fixture
def sqlite_service(tmp_path: Path) -> Iterator[RunningService]:
    running = RunningService(tmp_path, {"CC_DATABASE_TIMEOUT": "1"})
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_locked_sqlite_is_answered_503_and_taken_when_sent_again(sqlite_service: RunningService) -> None:
    purchase = Purchase(sqlite_service)
    path = sqlite_service.instance.data / "commerce_coordinator.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = purchase.post()
        other.execute("ROLLBACK")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert sqlite_service.trace(purchase.event["id"]) is None
    assert purchase.post().json()["status"] == "sent"
    purchase.assert_in_effect_once()


@pytest.mark.service
@pytest.mark.needs_mariadb
@pytest.mark.slow
def test_hanging_mariadb_is_answered_503_and_the_service_is_well_again_with_it(tmp_path: Path) -> None:
    address = urlsplit(MARIADB_URL)
    proxy = Proxy(address.port or 3306, address.hostname or "127.0.0.1")
    with mariadb_database() as url, contextlib.closing(proxy):
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        through = f"mysql://{user}@127.0.0.1:{proxy.port}{parts.path}"
        running = RunningService(tmp_path, {"DATABASE_URL": through, "CC_DATABASE_TIMEOUT": "1"})
        try:
            running.start()
            purchase = Purchase(running)
            proxy.hold()
            assert purchase.post().status_code == 503
            assert requests.get(f"{running.url}/health/", timeout=20).status_code == 503
            proxy.release()
            # No answer of 2xx: the provider sends it again, as often as it takes.
            answers = [purchase.post().status_code for _ in range(3)]
            assert answers[-1] == 200
            purchase.assert_in_effect_once()
        finally:
            proxy.release()
            running.stop()
