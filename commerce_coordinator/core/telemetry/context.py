"""Who is running right now: trace id, span id and the attempt. Plain ids, minted here (W3C Trace Context)."""

import contextlib
import dataclasses
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from .recording import Kind, Recorder, Recording, safely


def new_trace_id() -> str:
    """32 hexadecimal digits (W3C Trace Context)."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """16 hexadecimal digits (W3C Trace Context)."""
    return secrets.token_hex(8)


_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def span_of(traceparent: str, *, trace_id: str) -> str | None:
    """The span that the header names, if it is one of this trace. Whether to believe it is the caller's to say."""
    told = _TRACEPARENT.fullmatch(traceparent)
    return told[2] if told and told[1] == trace_id and int(told[2], 16) else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Span:
    """One step of a trace. `ids` go onto every log line written inside it.

    parent_id: the span that it is a step of, in this process or another; "" for the first of a trace.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str = ""
    kind: Kind = Kind.INTERNAL
    ids: dict[str, Any] = dataclasses.field(default_factory=dict)
    recordings: tuple[Recording, ...] = dataclasses.field(default=(), repr=False, compare=False)

    @property
    def traceparent(self) -> str:
        """The header of W3C Trace Context, version 00; sampled, unless a recorder leaves this trace out."""
        sampled = all(each.sampled for each in self.recordings)
        return f"00-{self.trace_id}-{self.span_id}-{'01' if sampled else '00'}"

    @property
    def is_recorded(self) -> bool:
        """Whether anybody takes what the methods below tell."""
        return bool(self.recordings)

    @property
    def takes_links(self) -> bool:
        """The same of `link`: ask before you look for one."""
        return any(each.takes_links for each in self.recordings)

    def note(self, attributes: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        """Attributes by their full names; those that are None are left out.

        A function is asked for them only where somebody records, and whatever it raises stops nothing.
        """
        if self.recordings:
            safely(self._note, attributes)

    def _note(self, attributes: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        found = attributes() if callable(attributes) else attributes
        told = {name: value for name, value in found.items() if value is not None}
        for each in self.recordings:
            safely(each.note, told)

    def link(self, trace_id: str, span_id: str) -> None:
        """It has to do with a span that it is no step of."""
        for each in self.recordings:
            safely(each.link, trace_id, span_id)

    def rename(self, name: str) -> None:
        for each in self.recordings:
            safely(each.rename, name)

    def fail(self, error: BaseException | str) -> None:
        """It failed, though no exception leaves it. A text is a status or a class, never a message."""
        for each in self.recordings:
            safely(each.fail, error)

    def end(self, error: BaseException | None = None) -> None:
        """Called once, by `span`."""
        for each in reversed(self.recordings):
            safely(each.end, error)


_current: ContextVar[Span | None] = ContextVar("commerce_coordinator_span", default=None)

#: Of this process. None, as a rule: then a span is its ids and nothing else.
_recorders: tuple[Recorder, ...] = ()


def record_by(*recorders: Recorder) -> None:
    """From now on, spans are told to these."""
    global _recorders
    _recorders = recorders


def recorders() -> tuple[Recorder, ...]:
    return _recorders


def current_span() -> Span | None:
    return _current.get()


def current_trace_id() -> str:
    """The trace we are in, or a new one."""
    span = _current.get()
    return span.trace_id if span else new_trace_id()


@contextlib.contextmanager
def span(
    name: str, kind: Kind = Kind.INTERNAL, parent_id: str | None = None, /, *, trace_id: str | None = None, **ids: Any
) -> Iterator[Span]:
    """Run a block as one step. Without `trace_id` it goes on with the present trace, or starts one.

    parent_id: the span of that trace that it is a step of, as a row tells it; by default the present one.
    """
    outer = _current.get()
    goes_on = outer is not None and trace_id in (None, outer.trace_id)
    step = Span(
        name=name,
        trace_id=trace_id or (outer.trace_id if outer else new_trace_id()),
        span_id=new_span_id(),
        parent_id=parent_id if parent_id is not None else (outer.span_id if outer and goes_on else ""),
        kind=kind,
        ids={**(outer.ids if outer and goes_on else {}), **{key: str(value) for key, value in ids.items()}},
    )
    if _recorders:
        begun = (safely(each.begin, step, outer) for each in _recorders)
        step = dataclasses.replace(step, recordings=tuple(each for each in begun if each is not None))
    token = _current.set(step)
    try:
        yield step
    except BaseException as error:
        step.end(error)
        raise
    else:
        step.end()
    finally:
        _current.reset(token)
