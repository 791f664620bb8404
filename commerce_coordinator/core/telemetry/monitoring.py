"""Ids and errors for whatever OPENEDX_TELEMETRY names: New Relic, Datadog, ... (`edx_django_utils.monitoring`)."""

from collections.abc import Mapping
from typing import Any

from edx_django_utils.monitoring import record_exception, set_custom_attribute

from .attributes import OURS, TRACE_ID, of_ids
from .context import Span
from .masking import where


class Monitoring:
    """A recorder. The spans are the monitoring's own; it is told which trace, event and delivery they belong to."""

    def begin(self, step: Span, outer: Span | None) -> "_Recording":
        known = outer.ids if outer is not None and outer.trace_id == step.trace_id else None
        if known is None:
            set_custom_attribute(TRACE_ID, step.trace_id)
        new = {key: value for key, value in step.ids.items() if (known or {}).get(key) != value}
        recording = _Recording()
        recording.note(of_ids(new))
        return recording

    def stop(self) -> None:
        """The monitoring sees to that itself."""


class _Recording:
    sampled = True
    takes_links = False

    def note(self, attributes: Mapping[str, Any]) -> None:
        for name, value in attributes.items():
            if name.startswith(OURS):
                set_custom_attribute(name, value)

    def link(self, trace_id: str, span_id: str) -> None:
        """The monitoring has no such thing."""

    def rename(self, name: str) -> None:
        """Its names are its own."""

    def fail(self, error: BaseException | str) -> None:
        """A failed attempt, an event that cannot be understood. What leaves a span is told where it ends."""
        if isinstance(error, BaseException):
            try:
                raise _without_text(error) from None
            except Exception as stand_in:
                stand_in.__context__ = None  # the original, with its text
                record_exception()  # takes the one that is being dealt with

    def end(self, error: BaseException | None) -> None:
        """Told by `fail`, once, where it is known what the error means."""


def _without_text(error: BaseException) -> Exception:
    """An exception of that name and from that place, without what it says: that may quote a payload."""
    stand_in = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    made: Exception = stand_in(where(error)).with_traceback(error.__traceback__)
    return made
