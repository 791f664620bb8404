"""OpenTelemetry's spans, kept in memory."""

import contextlib
from collections.abc import Iterator, Mapping

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from commerce_coordinator.core.telemetry.context import record_by, recorders
from commerce_coordinator.core.telemetry.exporting import OpenTelemetry, provider_with


class Exported:
    """What left."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.spans]

    def named(self, name: str) -> ReadableSpan:
        [found] = [each for each in self.spans if each.name == name]
        return found

    def with_id(self, span_id: str) -> ReadableSpan:
        [found] = [each for each in self.spans if span_id_of(each) == span_id]
        return found


@contextlib.contextmanager
def exported() -> Iterator[Exported]:
    """Within it, spans are exported into memory."""
    found, before = Exported(), recorders()
    record_by(OpenTelemetry(lambda: provider_with(SimpleSpanProcessor(found.exporter))))
    try:
        yield found
    finally:
        record_by(*before)


def trace_id_of(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


def span_id_of(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


def links_of(span: ReadableSpan) -> list[tuple[str, str]]:
    return [(f"{each.context.trace_id:032x}", f"{each.context.span_id:016x}") for each in span.links]


def attributes_of(span: ReadableSpan) -> Mapping[str, object]:
    return dict(span.attributes or {})
