"""Spans as OpenTelemetry's: the very ids that rows and log lines have, and from process to process one tree.

Imported only where CC_OPENTELEMETRY is on, as it needs requirements/opentelemetry.txt.
"""

import os
import threading
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from .attributes import ERROR_TYPE, OURS, of_ids
from .context import Span

#: The scope of our spans: who made them.
SCOPE = "commerce_coordinator"
DEFAULT_SERVICE_NAME = "commerce-coordinator"

#: How long a process that ends waits for a collector to take the last spans, in seconds.
FLUSH_SECONDS = 2.0

#: By the value of OTEL_TRACES_EXPORTER.
EXPORTERS: Mapping[str, Callable[[], SpanExporter]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}

#: (trace id, span id) of the span that is being begun.
_wanted: ContextVar[tuple[int, int] | None] = ContextVar("commerce_coordinator_wanted_ids", default=None)


class OurIds(RandomIdGenerator):
    """Our ids for our spans. Spans of other packages get random ones, as ever."""

    def generate_trace_id(self) -> int:
        wanted = _wanted.get()
        return wanted[0] if wanted else super().generate_trace_id()

    def generate_span_id(self) -> int:
        wanted = _wanted.get()
        return wanted[1] if wanted else super().generate_span_id()


class Batches(BatchSpanProcessor):
    """Spans leave from a thread of their own. One that ends does not wait long for a collector that is away."""

    def shutdown(self) -> None:
        # The SDK's own waits for half a minute, and what it calls has the parameter.
        self._batch_processor.shutdown(timeout_millis=int(FLUSH_SECONDS * 1000))


def provider_with(*processors: SpanProcessor) -> TracerProvider:
    """Sampler, limits and resource as the OTEL_... variables say."""
    provider = TracerProvider(id_generator=OurIds(), resource=_resource(), shutdown_on_exit=False)
    for each in processors:
        provider.add_span_processor(each)
    return provider


def exporting_provider() -> TracerProvider:
    """The provider of a running process. Spans of other packages go to it too, unless they have theirs already."""
    name = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    provider = provider_with(Batches(EXPORTERS[name]()))
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(provider)
    return provider


class OpenTelemetry:
    """A recorder.

    Each process gets a provider of its own at its first span: threads and sockets do not outlive a fork, and gunicorn
    and Celery fork.
    """

    def __init__(self, make_provider: Callable[[], TracerProvider] = exporting_provider) -> None:
        self._make_provider = make_provider
        self._lock = threading.Lock()
        self._pid = 0
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None

    def begin(self, step: Span, outer: Span | None) -> "_Recording":
        tracer, provider = self._of_this_process()
        trace_id, span_id = int(step.trace_id, 16), int(step.span_id, 16)
        here = trace.get_current_span().get_span_context()
        token = _wanted.set((trace_id, span_id))
        try:
            span = tracer.start_span(
                step.name,
                context=_parent(step, trace_id, here, provider),
                kind=SpanKind[step.kind.name],
                attributes=of_ids(step.ids),
                # One story that begins inside another.
                links=[Link(here)] if here.is_valid and here.trace_id != trace_id else (),
            )
        finally:
            _wanted.reset(token)
        return _Recording(span)

    def stop(self) -> None:
        """Let the last spans of this process leave, for FLUSH_SECONDS at most. Afterwards nothing is exported."""
        if self._provider is not None and self._pid == os.getpid():
            self._provider.shutdown()

    def _of_this_process(self) -> tuple[trace.Tracer, TracerProvider]:
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._provider = self._make_provider()
                    self._tracer = self._provider.get_tracer(SCOPE, settings.CC_VERSION)
                    self._pid = os.getpid()
        assert self._tracer is not None and self._provider is not None  # noqa: S101 - for mypy
        return self._tracer, self._provider


class _Recording:
    """One span of ours and OpenTelemetry's side of it, which is the current one there as well."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._failed = False
        self._token = attach(trace.set_span_in_context(span))
        self.sampled = span.get_span_context().trace_flags.sampled
        self.takes_links = span.is_recording()

    def note(self, attributes: Mapping[str, Any]) -> None:
        self._span.set_attributes(attributes)

    def link(self, trace_id: str, span_id: str) -> None:
        flags = TraceFlags(TraceFlags.SAMPLED)
        self._span.add_link(SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags))

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error: BaseException | str) -> None:
        if self._failed:
            return  # the first one is the cause
        self._failed = True
        # Not `record_exception`: it tells the error's text.
        self._span.set_attribute(ERROR_TYPE, error if isinstance(error, str) else type(error).__name__)
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self, error: BaseException | None) -> None:
        if error is not None:
            self.fail(error)
        self._span.end()
        detach(self._token)


def _parent(step: Span, trace_id: int, here: SpanContext, provider: TracerProvider) -> Context:
    """What the span is begun in: the present span, one that a row tells of, or nothing."""
    if not step.parent_id:
        return Context()
    parent_id = int(step.parent_id, 16)
    if (here.trace_id, here.span_id) == (trace_id, parent_id):
        return get_current()
    # The row does not say whether its span was sampled. The root's decision was made by the trace id; made again, it is
    # the same.
    sampled = provider.sampler.should_sample(Context(), trace_id, step.name).decision.is_sampled()
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return trace.set_span_in_context(
        NonRecordingSpan(SpanContext(trace_id, parent_id, is_remote=True, trace_flags=flags)), Context()
    )


def _resource() -> Resource:
    """Who speaks: what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, and the process."""
    told = Resource.create()
    ours: dict[str, Any] = {
        SERVICE_NAME: DEFAULT_SERVICE_NAME,
        SERVICE_VERSION: settings.CC_VERSION,
        SERVICE_INSTANCE_ID: str(uuid.uuid4()),
        "process.pid": os.getpid(),
        f"{OURS}role": settings.CC_ROLE,
    }
    if not str(told.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        del ours[SERVICE_NAME]
    given = Resource(
        {name: value for name, value in ours.items() if name not in told.attributes or name == SERVICE_NAME}
    )
    return told.merge(given)
