"""Who is running right now: trace id, span id and the attempt. Plain ids, minted here (W3C Trace Context)."""

import contextlib
import dataclasses
import secrets
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any


def new_trace_id() -> str:
    """32 hexadecimal digits (W3C Trace Context)."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """16 hexadecimal digits (W3C Trace Context)."""
    return secrets.token_hex(8)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """One step of a trace. `ids` go onto every log line written inside it."""

    name: str
    trace_id: str
    span_id: str
    ids: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def traceparent(self) -> str:
        """The header of W3C Trace Context, version 00, sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"


_current: ContextVar[Span | None] = ContextVar("commerce_coordinator_span", default=None)


def current_span() -> Span | None:
    return _current.get()


def current_trace_id() -> str:
    """The trace we are in, or a new one."""
    span = _current.get()
    return span.trace_id if span else new_trace_id()


@contextlib.contextmanager
def span(name: str, *, trace_id: str | None = None, **ids: Any) -> Iterator[Span]:
    """Run a block as one step. Without `trace_id` it goes on with the present trace, or starts one."""
    outer = _current.get()
    inherited = outer.ids if outer and trace_id in (None, outer.trace_id) else {}
    step = Span(
        name=name,
        trace_id=trace_id or (outer.trace_id if outer else new_trace_id()),
        span_id=new_span_id(),
        ids={**inherited, **{key: str(value) for key, value in ids.items()}},
    )
    token = _current.set(step)
    try:
        yield step
    finally:
        _current.reset(token)
