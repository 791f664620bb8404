"""The attempt that runs here and now: what it called, what it sent on."""

import contextlib
import dataclasses
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any


@dataclasses.dataclass(kw_only=True)
class RunningAttempt:
    """One try in progress. `attempt_id` is None for an inline receiver, whose delivery row is its only record."""

    delivery_id: uuid.UUID
    attempt_id: uuid.UUID | None
    receiver: str
    number: int
    idempotency_key: str
    declared_sends: frozenset[str] | None
    calls: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    sent: int = 0

    def next_dedupe_key(self) -> str:
        """The same for the n-th sending of every try: a task that died after sending and runs again adds nothing."""
        self.sent += 1
        return f"{self.idempotency_key}:{self.sent}"


_running: ContextVar[RunningAttempt | None] = ContextVar("commerce_coordinator_running_attempt", default=None)


def running_attempt() -> RunningAttempt | None:
    return _running.get()


@contextlib.contextmanager
def run_as(attempt: RunningAttempt) -> Iterator[RunningAttempt]:
    token = _running.set(attempt)
    try:
        yield attempt
    finally:
        _running.reset(token)
