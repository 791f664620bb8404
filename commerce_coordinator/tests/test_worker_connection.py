"""A worker keeps its database connection from task to task, and notices when it was lost between two."""

import contextlib
from typing import Any

import pytest
from celery.signals import task_prerun
from django.db import Error, connection

from commerce_coordinator.core.deliveries.models import Heartbeat
from commerce_coordinator.core.deliveries.tasks import WORKER_HEARTBEAT, canary

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def lose_connection() -> None:
    connection.ensure_connection()
    lost: Any = connection.connection
    if connection.vendor == "mysql":
        with contextlib.suppress(lost.Error):
            lost.query(f"KILL {lost.thread_id()}")
    else:
        lost.close()


def test_connection_lost_between_two_tasks_fails_no_task() -> None:
    lose_connection()
    with pytest.raises(Error):
        canary.run(0.0)
    task_prerun.send(sender=canary, task_id="1", task=canary, args=(), kwargs={})
    canary.run(0.0)
    assert Heartbeat.objects.filter(name=WORKER_HEARTBEAT).exists()


def test_connection_lost_while_nothing_ran_fails_no_task() -> None:
    lose_connection()
    task_prerun.send(sender=canary, task_id="1", task=canary, args=(), kwargs={})
    canary.run(0.0)
    assert Heartbeat.objects.filter(name=WORKER_HEARTBEAT).exists()
