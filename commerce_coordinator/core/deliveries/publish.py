"""Messages to the broker: ids only. A wake-up call that may fail at any time; the rows are the truth.

Publishing has connections of its own, with time-outs of milliseconds: the web process answers a provider, and a
worker's consuming connection would block for seconds on a frozen Redis. After a failure we do not try again for
about a second; the relay will.
"""

import logging
import os
import threading
import time
from collections.abc import Iterable
from typing import Any

from celery import current_app
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from kombu import Connection, Producer
from kombu.pools import ProducerPool

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.telemetry.context import span

logger = logging.getLogger(__name__)

BREAKER_SECONDS = 1.0

# What a broker that is away raises, by transport: kombu's own errors, redis-py's, sockets' and the file system's.
# They share no base class but Exception.
_PUBLISH_ERRORS = (Exception,)


class Publisher:
    """Publishes delivery ids; remembers a failure for BREAKER_SECONDS. Safe with threads and after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProducerPool | None = None
        self._pool_pid = 0
        self._resting_until = 0.0

    @property
    def resting(self) -> bool:
        """True while the last failure is too fresh for another try."""
        return time.monotonic() < self._resting_until

    def publish(self, messages: Iterable[tuple[str, tuple[Any, ...]]], **options: Any) -> int:
        """Send (task name, arguments) messages. Returns how many the broker took, from the front."""
        taken = 0
        if self.resting:
            return taken
        try:
            # A span of our own: an instrumented publish that raises leaves its span current.
            with span("publish"), self._producers().acquire(block=True, timeout=1) as producer:
                for task, arguments in messages:
                    self._send(producer, task, arguments, options)
                    taken += 1
        except SoftTimeLimitExceeded:
            raise  # the task's time is up; that is no failure of the broker's
        except _PUBLISH_ERRORS as error:
            self._rest(error)
        return taken

    def ping(self) -> bool:
        """Does the broker answer within the publishing time-outs? Opens a connection of its own."""
        try:
            with self._connection() as connection:
                connection.ensure_connection(max_retries=0, timeout=1)
                connection.default_channel  # noqa: B018 - some transports connect only here
        except _PUBLISH_ERRORS:
            return False
        return True

    def forget_failures(self) -> None:
        """Try again at the next publishing."""
        self._resting_until = 0.0

    def _send(self, producer: Producer, task: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        reached("publish.before")
        current_app.send_task(task, args=arguments, producer=producer, retry=False, **options)
        reached("publish.after")

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + BREAKER_SECONDS
        with self._lock:
            # Half-open connections would fail again; the next try starts with fresh ones.
            pool, self._pool = self._pool, None
        logger.warning("Publishing failed; the relay will publish.", extra={"error_class": type(error).__name__})
        if pool is not None:
            try:
                pool.connections.force_close_all()
            except _PUBLISH_ERRORS as closing:
                logger.debug("Closing a broken connection failed.", extra={"error_class": type(closing).__name__})

    def _connection(self) -> Connection:
        return current_app.connection_for_write(
            connect_timeout=1, transport_options=settings.CC_PUBLISH_TRANSPORT_OPTIONS
        )

    def _producers(self) -> ProducerPool:
        with self._lock:
            if self._pool is None or self._pool_pid != os.getpid():
                limit = settings.CELERY_BROKER_POOL_LIMIT
                self._pool = ProducerPool(self._connection().Pool(limit=limit), limit=limit)
                self._pool_pid = os.getpid()
            return self._pool


publisher = Publisher()
