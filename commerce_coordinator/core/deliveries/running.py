"""The attempt that runs here and now: what it called, what it sent on."""

import contextlib
import dataclasses
import hashlib
import json
import uuid
from collections import Counter
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
    #: Whether the schedule has no further try: what fails now is dead.
    is_last: bool = False
    calls: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    sent: "Counter[str]" = dataclasses.field(default_factory=Counter)

    def dedupe_key(self, signal: str, payload: Any) -> str:
        """The same for the n-th sending of this content in every try, whatever else a try sends before it.

        So a task that died after sending and runs again adds nothing, and one that now sends something else loses
        nothing.
        """
        content = json.dumps([signal, payload], sort_keys=True, default=str)
        digest = hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:32]
        return f"{self.idempotency_key}:{digest}:{self.sent[digest] + 1}"

    def note_sent(self, dedupe_key: str) -> None:
        """Called when a sending is committed: one that was rolled back does not count."""
        self.sent[dedupe_key.split(":")[1]] += 1


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
