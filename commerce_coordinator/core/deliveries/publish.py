"""Messages to the broker: ids only. A wake-up call that may fail at any time; the rows are the truth.

Publishing has connections of its own, with time-outs of milliseconds: the web process answers a provider, and a
worker's consuming connection would block for seconds on a frozen Redis. After a failure we do not try again for
about a second; the relay will.
"""

import contextlib
import functools
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from celery import current_app
from celery.app.amqp import task_message
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from kombu import Connection, Producer
from kombu.transport import redis
from kombu.utils.uuid import uuid

from commerce_coordinator.core.crash_points import reached

logger = logging.getLogger(__name__)

BREAKER_SECONDS = 1.0

#: Messages that go to the broker together, where its transport can (Redis: one round trip).
BATCH = 100

# What a broker that is away raises, by transport: kombu's own errors, redis-py's, sockets' and the file system's.
# They share no base class but Exception.
_PUBLISH_ERRORS = (Exception,)


class Publisher:
    """Publishes delivery ids; remembers a failure for BREAKER_SECONDS. Safe with threads and after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Producer] = []
        self._idle_pid = 0
        self._resting_until = 0.0

    @property
    def resting(self) -> bool:
        """True while the last failure is too fresh for another try."""
        return time.monotonic() < self._resting_until

    def publish(self, messages: Sequence[tuple[str, tuple[Any, ...]]], *, expires: float | None = None) -> int:
        """Send (task name, arguments) messages. Returns how many the broker took, from the front.

        expires: seconds after which a worker shall throw them away. Those of a batch that failed do not count as
        taken; the broker may have some of them, and their deliveries' ids then come to it twice.
        """
        taken = 0
        if self.resting:
            return taken
        try:
            with self._producer() as producer:
                size = _batch_size(producer) if len(messages) > 1 else 1
                while taken < len(messages):
                    batch = messages[taken : taken + size]
                    for task, _ in batch:
                        reached("publish.before", task)
                    with producer.batch(size) if size > 1 else contextlib.nullcontext():  # type: ignore[attr-defined]
                        for task, arguments in batch:
                            self._send(producer, task, arguments, expires)
                    taken += len(batch)
                    for task, _ in batch:
                        reached("publish.after", task)
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

    def _send(self, producer: Producer, task: str, arguments: tuple[Any, ...], expires: float | None) -> None:
        """As Celery's `send_task`, whose work of putting the message together is done once per task."""
        headers, route = _template(task) if expires is None else _made_by_celery(task, expires)
        message_id = uuid()
        message = task_message(
            headers={**headers, "id": message_id, "root_id": message_id},
            properties={"correlation_id": message_id, "reply_to": ""},
            body=(arguments, {}, {}),
            sent_event=None,
        )
        current_app.amqp.send_task_message(producer, task, message, retry=False, **route)

    @contextlib.contextmanager
    def _producer(self) -> Iterator[Producer]:
        """An idle producer or a new one, each with its own connection. After a failure it is closed, not kept."""
        idle = self._idle_ones()
        try:
            producer = idle.pop()
        except IndexError:
            producer = self._connection().Producer()
        try:
            yield producer
        except BaseException:
            _close(producer)
            raise
        if idle is self._idle:
            idle.append(producer)
        else:  # another thread met a failure meanwhile
            _close(producer)

    def _idle_ones(self) -> list[Producer]:
        if self._idle_pid != os.getpid():
            with self._lock:
                if self._idle_pid != os.getpid():
                    # A forked process must not share its parent's connections, nor close them.
                    self._idle, self._idle_pid = [], os.getpid()
        return self._idle

    def _rest(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + BREAKER_SECONDS
        # Half-open connections would fail again; the next try starts with a fresh one.
        with self._lock:
            idle, self._idle = self._idle, []
        logger.warning("Publishing failed; the relay will publish.", extra={"error_class": type(error).__name__})
        for producer in idle:
            _close(producer)

    def _connection(self) -> Connection:
        # Kombu takes a class as well as a name.
        transport: Any = PublishingTransport if settings.CELERY_BROKER_URL.startswith("redis:") else None
        return current_app.connection_for_write(
            connect_timeout=1, transport_options=settings.CC_PUBLISH_TRANSPORT_OPTIONS, transport=transport
        )


class PublishingChannel(redis.Channel):
    """Kombu makes a Redis client for every message; this one takes the client that the channel has anyway."""

    @contextlib.contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        yield client or self.client


class PublishingTransport(redis.Transport):
    Channel = PublishingChannel


def _batch_size(producer: Producer) -> int:
    """1 where the transport sends each message by itself: then we know how many of them it took."""
    return BATCH if producer.supports_batch_publish else 1  # type: ignore[attr-defined]


def _made_by_celery(task: str, expires: float | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """(headers of its messages, where they are routed), as the app's settings say."""
    amqp = current_app.amqp
    return amqp.as_task_v2("", task, expires=expires).headers, amqp.router.route({}, task)


@functools.cache
def _template(task: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return _made_by_celery(task, None)


def _close(producer: Producer) -> None:
    """Close its connection, whatever state that is in."""
    try:
        producer.connection.close()  # type: ignore[union-attr]
    except _PUBLISH_ERRORS as error:
        logger.debug("Closing a broken connection failed.", extra={"error_class": type(error).__name__})


publisher = Publisher()
