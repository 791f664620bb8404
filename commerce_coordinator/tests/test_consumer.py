"""A worker tries a broker that is away once a second, however long it is away."""

from typing import Any

import pytest
from celery import current_app
from kombu import Connection

from commerce_coordinator.console.supervisor import free_port
from commerce_coordinator.core.consumer import RECONNECT_SECONDS, Consumer


class EnoughSeen(Exception):
    """The test has waited long enough."""


def test_worker_does_not_wait_longer_from_try_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if sum(slept) >= 60:
            raise EnoughSeen

    monkeypatch.setattr("kombu.utils.functional.sleep", sleep)
    tries: list[Any] = []
    monkeypatch.setattr("celery.worker.consumer.consumer.error", lambda *args: tries.append(args))
    consumer = Consumer.__new__(Consumer)
    consumer.app, consumer.first_connection_attempt, consumer.broker_connection_retry_attempt = current_app, False, 0
    with Connection(f"redis://127.0.0.1:{free_port()}/0") as nobody_there, pytest.raises(EnoughSeen):
        consumer.ensure_connected(nobody_there)
    assert len(tries) == 60 / RECONNECT_SECONDS
