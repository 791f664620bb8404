"""A broker made of files, for a laptop without Redis: one file per message. Its URL is `embedded://`.

The transport option `folder` names a folder, the broker's alone. In it
    unfinished/   is what publishers are writing just now
    queue/        waits, in order of arrival: `<time>-<serial>-<random>.<queue>`
    in_flight/    has been taken by the worker and not been acknowledged yet
    unreadable/   could not be read; only people look there
    worker.lock   is held by the folder's one worker for as long as it lives

Nothing is fsynced: a killed process loses no message, a power cut may. The database is the truth, the broker is only
a wake-up call, and the relay calls again.

Like Kombu's filesystem transport this one derives from Kombu's virtual transport. It shares no code with that one,
which moves files that are still being written, dies on an empty one, and forgets a message as soon as it is read.
"""

import fcntl
import logging
import os
import secrets
import time
from collections import defaultdict, deque
from contextlib import suppress
from itertools import count
from pathlib import Path
from queue import Empty
from threading import Lock
from typing import Any
from urllib.parse import quote

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

from commerce_coordinator.core.exceptions import CoordinatorError

logger = logging.getLogger(__name__)

_serial = count()
_locks: dict[tuple[int, Path], int] = {}  # (process id, folder) -> the descriptor that holds the lock
_locks_guard = Lock()


def register() -> None:
    """Teach Kombu the URL `embedded://`."""
    TRANSPORT_ALIASES["embedded"] = f"{__name__}:Transport"


# Not among the transport's connection and channel errors, which Celery retries for ever: this one ends the worker.
class FolderInUse(CoordinatorError):
    """Another worker takes its messages from this folder."""


def lock_folder(folder: Path) -> bool:
    """Make this process the folder's one worker until it dies. False when it is already; raises FolderInUse.

    A record lock belongs to one process: forked pool children don't share it, and a killed worker can't keep it. But
    closing any descriptor of the file gives it up, so the descriptor that took it stays open and is the only one.
    """
    with _locks_guard:
        if (os.getpid(), folder) in _locks:
            return False
        descriptor = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise FolderInUse(
                f"Another worker uses {folder}: stop that one, or give this one another DATA folder."
            ) from None
        _locks[os.getpid(), folder] = descriptor
        return True


class Channel(virtual.Channel):
    """Moves message files from folder to folder. The delivery tag of a message is the name of its file."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        options: dict[str, Any] = connection.client.transport_options
        if "folder" not in options:
            raise ValueError("The embedded broker needs broker_transport_options['folder'].")
        self.folder = Path(options["folder"]).absolute()
        self.unfinished, self.queue, self.in_flight, self.unreadable = folders = [
            self.folder / name for name in ("unfinished", "queue", "in_flight", "unreadable")
        ]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        self._listed: dict[str, deque[str]] = defaultdict(deque)  # one look into the folder serves a whole backlog

    def basic_consume(self, queue: str, no_ack: bool, callback: Any, consumer_tag: Any, **kwargs: Any) -> Any:
        """Become the folder's worker, take up what a dead one left in flight, and consume. Raises FolderInUse."""
        if lock_folder(self.folder):
            self._restore_in_flight()

        def deliver(message: Any) -> Any:
            if no_ack:
                self._forget(message.delivery_tag)
            return callback(message)

        return super().basic_consume(queue, no_ack, deliver, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message and no_ack:
            self._forget(message.delivery_tag)
        return message

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        self._forget(delivery_tag)
        super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue=requeue)  # requeueing ends in _restore
        if not requeue:
            self._forget(delivery_tag)

    def drain_events(self, timeout: float | None = None, callback: Any = None) -> Any:
        if self._consumers and not self.qos.can_consume():
            # Every slot is taken: back to Celery, whose acknowledgements make room; after a nap where no event loop is.
            if not getattr(self.connection, "has_loop", False):
                time.sleep(0.01)
            raise TimeoutError
        return super().drain_events(timeout=timeout, callback=callback)

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:
        if not (if_empty and self._size(queue)):
            self._purge(queue)  # Kombu's method empties only queues that this connection has bound
            super().queue_delete(queue, **kwargs)

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        """Direct routing needs no table on disk: where this connection knows no queue, the routing key names it."""
        found = super()._lookup(exchange, routing_key, default)
        # To other types nobody listens: a worker's heartbeat events would only pile up.
        return found or ([routing_key] if self.typeof(exchange).type == "direct" else [])

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        # The serial orders what one process writes in one tick of the clock; the random part tells processes apart.
        name = f"{time.time_ns():020}-{next(_serial):010}-{secrets.token_hex(6)}.{quote(queue, safe='')}"
        unfinished = self.unfinished / name
        try:
            unfinished.write_text(dumps(message), encoding="utf-8")
            unfinished.replace(self.queue / name)  # so that nobody ever reads half a message
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise ChannelError(f"Cannot write to {self.folder}: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        listed = self._listed[queue]
        if not listed:
            listed.extend(self._waiting(queue))
        while listed:
            name = listed.popleft()
            taken = self.in_flight / name
            try:
                (self.queue / name).rename(taken)
            except FileNotFoundError:  # purged, or another channel was faster
                continue
            try:
                message: dict[str, Any] = loads(taken.read_bytes())
                message["properties"]["delivery_tag"] = name
                self.Message(message, channel=self)  # Kombu does so too, but there an error would end the worker
                return message
            except Exception as error:  # whatever it is, the next message is waiting
                logger.warning(
                    "Unreadable message put aside.",
                    extra={"queue": queue, "message_file": name, "error_class": type(error).__name__},
                )
                self._move(taken, self.unreadable)
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        names = self._waiting(queue)
        for name in names:
            (self.queue / name).unlink(missing_ok=True)
        return len(names)

    def _waiting(self, queue: str) -> list[str]:
        # All that follows the first dot is the queue's name: neither "a" nor "b" is mistaken for "a.b".
        quoted = quote(queue, safe="")
        return sorted(file.name for file in self.queue.iterdir() if file.name.partition(".")[2] == quoted)

    def _forget(self, delivery_tag: Any) -> None:
        (self.in_flight / delivery_tag).unlink(missing_ok=True)

    def _restore(self, message: Any) -> None:
        self._move(self.in_flight / message.delivery_tag, self.queue)  # under its old name, so to its old place

    def _restore_in_flight(self) -> None:
        files = list(self.in_flight.iterdir())
        for file in files:
            self._move(file, self.queue)
        if files:
            logger.info("Messages of a dead worker put back into the queue.", extra={"messages": len(files)})

    @staticmethod
    def _move(file: Path, folder: Path) -> None:
        with suppress(FileNotFoundError):  # acknowledged or tidied up meanwhile
            file.replace(folder / file.name)


class Transport(virtual.Transport):
    """What Kombu opens for `embedded://`."""

    Channel = Channel
    driver_type = driver_name = "embedded"
    can_parse_url = True  # there is nothing to parse, and so no warning that the host is missing
    polling_interval = 0.1
    # Direct only, so no remote control. Asynchronous for the sake of Celery's pool: the one it takes otherwise waits
    # for ever when a pool process is killed while it waits for work, as that one holds the lock of all.
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct"]), asynchronous=True)
    has_loop = False
    _is_full = False

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Look into the folder by the clock, and after a look that ended for want of room whenever the loop turns."""
        self.has_loop = True
        loop.call_repeatedly(self.polling_interval, self._take_what_waits)
        loop.on_tick.add(self._go_on)

    def _go_on(self) -> None:
        if self._is_full:
            self._take_what_waits()

    def _take_what_waits(self) -> None:
        try:
            while True:
                self.cycle.get(self._deliver)  # type: ignore[union-attr]
        except TimeoutError:
            self._is_full = True
        except Empty:
            self._is_full = False

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        # Celery's worker asks for two seconds, but acknowledges, and notices a SIGTERM, only between two calls. So a
        # call ends with its second look at the folder.
        super().drain_events(connection, timeout and min(timeout, self.polling_interval))
