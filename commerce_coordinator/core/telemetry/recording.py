"""What is kept of a span beside its ids: nothing, unless recorders are switched on (switch.py)."""

import enum
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .context import Span

logger = logging.getLogger(__name__)


class Kind(enum.Enum):
    """OpenTelemetry's kinds of spans."""

    INTERNAL = "a step inside a process"
    SERVER = "a request that is answered"
    CLIENT = "a call on another system"
    PRODUCER = "something is sent that others take up later"
    CONSUMER = "what was sent is taken up"


class Recording(Protocol):
    """One span while it runs. Attributes are ids, names and numbers: no payloads, people or texts of errors."""

    #: Whether the span will be exported, as those that go on from it must know.
    sampled: bool
    takes_links: bool

    def note(self, attributes: Mapping[str, Any]) -> None: ...

    def link(self, trace_id: str, span_id: str) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, error: "BaseException | str") -> None:
        """It failed, though no exception leaves the span. A text is a status or a class, never a message."""

    def end(self, error: BaseException | None) -> None:
        """`error`: what leaves the span."""


class Recorder(Protocol):
    """Takes spans as they begin."""

    def begin(self, step: "Span", outer: "Span | None") -> Recording: ...

    def stop(self) -> None:
        """The process ends: what was taken and did not leave yet leaves now, or never."""


def safely(work: Callable[..., Any], *arguments: Any) -> Any:
    """Whatever is wrong with a recording, the event goes on. None in that case."""
    try:
        return work(*arguments)
    except Exception as error:  # recorders are made of other people's packages
        logger.warning("A span could not be recorded.", extra={"error_class": type(error).__name__})
        return None
