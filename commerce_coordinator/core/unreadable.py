"""What lies in the broker and is no message of ours: logged, dropped, and no worker ends of it.

Celery and Kombu take a message's shape for granted: one without an id, with a body of another shape, or no JSON at all
on Redis, ends the worker, and what it had not acknowledged comes again and ends the next one. A broker is a wake-up
call, so dropping is safe: the relay calls again for every row that is due.

Log lines tell what was expected, never what was there.
"""

import logging
from collections.abc import Callable
from queue import Empty
from typing import Any

from celery.worker import consumer
from kombu.transport import TRANSPORT_ALIASES, redis

logger = logging.getLogger(__name__)

# Both libraries are typed in part; what we override is not.
_consumer: Any = consumer
_redis: Any = redis


def register() -> None:
    """Teach Kombu to read Redis with this room's eyes."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


class Consumer(_consumer.Consumer):
    """Celery's consumer, behind a gate."""

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        take = super().create_task_handler(*args, **kwargs)
        # Kombu counts KeyError among the connection errors of Redis, and would connect anew for ever.
        lost = tuple(each for each in self.connection_errors if each is not KeyError)

        def take_what_is_readable(message: Any) -> None:
            try:
                fault = fault_of(message)
                if not fault:
                    take(message)
                    return
            except lost:
                raise
            except Exception as error:  # whatever it is, the next message is waiting
                fault = type(error).__name__
            logger.warning("Unreadable message dropped.", extra={"why": fault})
            message.reject_log_error(logger, self.connection_errors)

        return take_what_is_readable


def fault_of(message: Any) -> str:
    """Why this is no message of Celery's protocol 2; empty if it is one. Raises what decoding its body raises."""
    headers = message.headers
    if not isinstance(headers, dict) or not isinstance(headers.get("task"), str):
        return "its headers name no task"
    if not isinstance(headers.get("id"), str):
        return "its headers have no id"
    if not _are_limits(headers.get("timelimit")):
        return "its time limits are not two numbers"
    if not isinstance(message.content_type, str):
        return "it has no content type"
    match message.payload:
        case [list(), dict(), dict() | None]:
            return ""
    return "its body is not [arguments, named arguments, what follows]"


def _are_limits(value: Any) -> bool:
    if value is None:
        return True
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(each is None or isinstance(each, int | float) for each in value)
    )


class Channel(_redis.Channel):
    """Kombu's channel on Redis; an item that is no JSON is dropped, as it has left the list already."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (Empty, *self.connection_errors, *self.connection.channel_errors):
            raise
        except Exception as error:  # JSON's errors, and those of the types that Kombu writes into it
            logger.warning("Unreadable message dropped.", extra={"why": type(error).__name__})
            raise Empty from None


class Transport(_redis.Transport):
    """What Kombu opens for `redis://` and `rediss://`."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        fault = self._fault_of(message)
        if fault:
            logger.warning("Unreadable message dropped.", extra={"why": fault})
            return
        super()._deliver(message, queue)

    def _fault_of(self, message: Any) -> str:
        """What Kombu would stumble over before a message can be acknowledged; empty if nothing."""
        match message:
            case {
                "body": str(body),
                "headers": dict(),
                "properties": {
                    "delivery_tag": str(),
                    "delivery_info": {"exchange": str(), "routing_key": str()},
                    **properties,
                },
            }:
                try:
                    self.channels[0].decode_body(body, properties.get("body_encoding"))
                except Exception as error:  # no such encoding, or not encoded so
                    return type(error).__name__
                return ""
        return "it is no message of Kombu's"
