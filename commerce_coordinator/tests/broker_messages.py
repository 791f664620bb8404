"""Messages as nobody should send them, and the broker's own door to put them through."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from .service import RunningService

QUEUE = "celery"
ENROLL = "commerce_coordinator.plugins.lms.tasks.enroll_learner"

Raw = Callable[[str], bytes]
"""Makes the bytes of a message from the id of a settled delivery (hexadecimal)."""


class Broker:
    """The service's broker from behind: whole messages as bytes, past every client."""

    def __init__(self, service: RunningService) -> None:
        self._redis = redis.Redis(port=service.redis.port) if service.redis else None
        self._folder: Path = service.instance.data / "broker"

    def put(self, raw: bytes) -> None:
        if self._redis is not None:
            self._redis.lpush(QUEUE, raw)
            return
        name = f"{time.time_ns():020}-0000000000-{secrets.token_hex(6)}.{QUEUE}"
        (self._folder / "unfinished" / name).write_bytes(raw)
        (self._folder / "unfinished" / name).replace(self._folder / "queue" / name)

    def is_empty(self) -> bool:
        """Nothing waits, and nothing is taken and not acknowledged."""
        if self._redis is not None:
            return not self._redis.llen(QUEUE) and not self._redis.hlen("unacked")
        return not any(any((self._folder / name).iterdir()) for name in ("queue", "in_flight"))

    def close(self) -> None:
        if self._redis is not None:
            self._redis.close()


def envelope(body: Any, headers: Any, **changes: Any) -> bytes:
    """A message as Kombu's virtual transports store it. `body`: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = {
        "body": base64.b64encode(content).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            "correlation_id": secrets.token_hex(16),
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": secrets.token_hex(16),
        },
    }
    return json.dumps({**message, **changes}).encode()


def headers(task: str, **changes: Any) -> dict[str, Any]:
    """Those of Celery's protocol 2."""
    key = secrets.token_hex(16)
    return {"lang": "py", "task": task, "id": key, "root_id": key, "retries": 0, "timelimit": [None, None], **changes}


def calling(task: str, *args: Any, body: Any = None, more: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """A message for a task. `body` instead of the arguments; `more` headers; `changes` of the envelope."""
    whole = [list(args), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    return envelope(whole if body is None else body, headers(task, **(more or {})), **changes)


def protocol_1(task: str, *args: Any) -> bytes:
    """As Celery 3 wrote it: everything is in the body."""
    body = {"task": task, "id": secrets.token_hex(16), "args": list(args), "kwargs": {}, "retries": 0}
    return envelope(body, {})


def without(raw: bytes, *path: str) -> bytes:
    """The same message, less one value."""
    message = json.loads(raw)
    inner = message
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return json.dumps(message).encode()


def with_body(raw: bytes, body: Any) -> bytes:
    """The same message with another body as it is stored."""
    return json.dumps({**json.loads(raw), "body": body}).encode()


#: By name: what makes the message from the id of a settled delivery.
GARBAGE: dict[str, Raw] = {
    # Whole messages that are none.
    "empty": lambda key: b"",
    "no JSON": lambda key: b"secret {",
    "no UTF-8": lambda key: b"\xff\xfe\x00",
    "JSON null": lambda key: b"null",
    "JSON list": lambda key: b"[]",
    "JSON text": lambda key: b'"secret"',
    "JSON number": lambda key: b"1",
    "other JSON": lambda key: b'{"secret": 1}',
    "nested too deep": lambda key: b"[" * 100_000,
    "truncated": lambda key: calling(ENROLL, key)[:200],
    "properties of another type": lambda key: calling(ENROLL, key, properties="secret"),
    "no properties": lambda key: without(calling(ENROLL, key), "properties"),
    "no delivery tag": lambda key: without(calling(ENROLL, key), "properties", "delivery_tag"),
    "no delivery info": lambda key: without(calling(ENROLL, key), "properties", "delivery_info"),
    "delivery info of another type": lambda key: calling(
        ENROLL, key, properties={"delivery_info": [], "delivery_tag": "x", "body_encoding": "base64"}
    ),
    "no body": lambda key: without(calling(ENROLL, key), "body"),
    "body in no known encoding": lambda key: calling(
        ENROLL, key, properties={"delivery_info": {}, "delivery_tag": "x", "body_encoding": "rot13"}
    ),
    "body that is no base64": lambda key: with_body(calling(ENROLL, key), "x"),
    "body a list": lambda key: with_body(calling(ENROLL, key), [key]),
    "of a type that Kombu does not know": lambda key: with_body(
        calling(ENROLL, key), {"__type__": "secret", "__value__": 1}
    ),
    # Envelopes that are right, around what is not.
    "headers null": lambda key: envelope([[key], {}, {}], None),
    "headers a list": lambda key: envelope([[key], {}, {}], ["task"]),
    "no headers": lambda key: without(calling(ENROLL, key), "headers"),
    "no task id": lambda key: without(calling(ENROLL, key), "headers", "id"),
    "task name a list": lambda key: envelope([[key], {}, {}], {**headers(ENROLL), "task": [ENROLL]}),
    "task name null": lambda key: envelope([[key], {}, {}], {**headers(ENROLL), "task": None}),
    "unknown task": lambda key: calling("my_shop.tasks.nobody_has_this", key),
    "unknown task without id": lambda key: without(calling("my_shop.tasks.gone", key), "headers", "id"),
    "content type pickle": lambda key: calling(ENROLL, key, **{"content-type": "application/x-python-serialize"}),
    "content type unknown": lambda key: calling(ENROLL, key, **{"content-type": "application/x-secret"}),
    "content type null": lambda key: calling(ENROLL, key, **{"content-type": None}),
    "content encoding unknown": lambda key: calling(ENROLL, key, **{"content-encoding": "rot13-secret"}),
    "body no JSON": lambda key: calling(ENROLL, body=b"secret {"),
    "body empty": lambda key: calling(ENROLL, body=b""),
    "body null": lambda key: calling(ENROLL, body=b"null"),
    "body a number": lambda key: calling(ENROLL, body=b"1"),
    "body too short": lambda key: calling(ENROLL, body=[[key]]),
    "body without the last part": lambda key: calling(ENROLL, body=[[key], {}]),
    "last part null": lambda key: calling(ENROLL, body=[[key], {}, None]),
    "arguments a number": lambda key: calling(ENROLL, body=[1, {}, {}]),
    "arguments by unknown names": lambda key: calling(ENROLL, body=[[], {"secret": 1}, {}]),
    "keyword arguments a list": lambda key: calling(ENROLL, body=[[key], [1], {}]),
    "no argument": lambda key: calling(ENROLL),
    "too many arguments": lambda key: calling(ENROLL, key, key, key),
    "argument null": lambda key: calling(ENROLL, None),
    "argument a number": lambda key: calling(ENROLL, 7),
    "argument a list": lambda key: calling(ENROLL, [key]),
    "argument a mapping": lambda key: calling(ENROLL, {"id": key}),
    "argument no UUID": lambda key: calling(ENROLL, "secret"),
    "argument huge": lambda key: calling(ENROLL, "x" * 5_000_000),
    "argument with half a surrogate pair": lambda key: calling(ENROLL, "\ud800"),
    "due at no time": lambda key: calling(ENROLL, key, more={"eta": "secret"}),
    "expired": lambda key: calling(ENROLL, key, more={"expires": "2020-01-01T00:00:00+00:00"}),
    "expires at no time": lambda key: calling(ENROLL, key, more={"expires": "secret"}),
    "time limit of another type": lambda key: calling(ENROLL, key, more={"timelimit": "secret"}),
    "time limits three": lambda key: calling(ENROLL, key, more={"timelimit": [1, 2, 3]}),
    "retries of another type": lambda key: calling(ENROLL, key, more={"retries": "secret"}),
    "task id a list": lambda key: calling(ENROLL, key, more={"id": [1]}),
    "reply to a queue": lambda key: calling(ENROLL, key, more={"reply_to": "secret"}),
    "stamped": lambda key: calling(ENROLL, key, more={"stamped_headers": "secret", "stamps": 1}),
    # Celery's older protocol.
    "protocol 1, garbage": lambda key: protocol_1(ENROLL, "secret"),
    "protocol 1, unknown task": lambda key: protocol_1("my_shop.tasks.gone", key),
    "protocol 1, arguments a text": lambda key: envelope(
        {"task": ENROLL, "id": "x", "args": "secret", "kwargs": 1}, {}
    ),
    "protocol 1, no id": lambda key: envelope({"task": ENROLL, "args": [key], "kwargs": {}}, {}),
    "protocol 1, a list": lambda key: envelope([1, 2], {}),
    "protocol 1, no JSON": lambda key: envelope(b"secret {", {}),
    "protocol 1, pickle": lambda key: envelope(b"x", {}, **{"content-type": "application/x-python-serialize"}),
}
