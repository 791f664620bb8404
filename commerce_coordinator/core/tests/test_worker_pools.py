"""A worker that cannot end a task says so: the lease counts on the time limit."""

import logging

import pytest
from celery.concurrency.prefork import TaskPool

from commerce_coordinator.core.worker_pools import warn_of_tasks_without_end


@pytest.mark.parametrize("pool", ["prefork", "processes", "celery.concurrency.prefork:TaskPool", TaskPool])
def test_processes_can_be_ended(pool, caplog):
    warn_of_tasks_without_end(pool)
    assert caplog.messages == []


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_a_pool_without_time_limits_is_warned_of(pool, caplog):
    with caplog.at_level(logging.WARNING):
        warn_of_tasks_without_end(pool)
    (message,) = caplog.messages
    assert message.startswith("The worker's pool cannot end a task")
