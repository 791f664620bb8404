"""Our spans as OpenTelemetry's: the same ids, the same tree, and nothing private."""

import os
import threading

import pytest
from opentelemetry import trace
from opentelemetry.context import attach
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from commerce_coordinator.core.telemetry import exporting
from commerce_coordinator.core.telemetry.context import current_span, new_span_id, new_trace_id, record_by, span
from commerce_coordinator.core.telemetry.recording import Kind

from .in_memory import attributes_of, exported, links_of, parent_of, span_id_of, trace_id_of


@pytest.fixture
def found():
    with exported() as found:
        yield found


def test_exported_spans_have_our_ids(found):
    with span("webhook", Kind.SERVER) as outer, span("send") as inner:
        pass
    first, second = found.named("send"), found.named("webhook")
    assert trace_id_of(first) == trace_id_of(second) == outer.trace_id
    assert (span_id_of(first), span_id_of(second)) == (inner.span_id, outer.span_id)
    assert (parent_of(first), parent_of(second)) == (outer.span_id, "")
    assert (first.kind, second.kind) == (SpanKind.INTERNAL, SpanKind.SERVER)


def test_a_span_goes_on_from_one_that_a_row_tells_of(found):
    trace_id, parent = new_trace_id(), new_span_id()
    with span("relay"), span("process", Kind.CONSUMER, parent, trace_id=trace_id):
        pass
    went_on = found.named("process")
    assert (trace_id_of(went_on), parent_of(went_on)) == (trace_id, parent)
    assert went_on.parent.is_remote


def test_a_story_that_begins_inside_another_is_linked_to_it(found):
    with span("request") as outer, span("process", trace_id=new_trace_id()) as inner:
        pass
    assert inner.parent_id == ""
    assert links_of(found.named("process")) == [(outer.trace_id, outer.span_id)]


def test_ids_leave_as_attributes_of_ours(found):
    with span("process", provider="stripe", delivery="d", filter="f"), span("inner", other="x"):
        pass
    assert attributes_of(found.named("inner")) == {
        "commerce_coordinator.event.provider": "stripe",
        "commerce_coordinator.delivery.id": "d",
        "commerce_coordinator.filter": "f",
        "commerce_coordinator.other": "x",
    }


def test_an_error_leaves_as_its_class_without_its_text(found):
    with pytest.raises(ValueError), span("process"):
        raise ValueError("zoe@example.com has no seat")
    failed = found.named("process")
    assert failed.status.status_code is StatusCode.ERROR
    assert attributes_of(failed) == {"error.type": "ValueError"}
    assert "zoe" not in failed.to_json()


def test_of_two_errors_the_first_is_told(found):
    with pytest.raises(ValueError), span("process") as step:
        step.fail("503")
        raise ValueError
    assert attributes_of(found.named("process"))["error.type"] == "503"


def test_other_packages_spans_are_steps_of_ours_with_ids_of_their_own(found):
    theirs = exporting.provider_with(SimpleSpanProcessor(found.exporter)).get_tracer("theirs")
    with span("webhook") as outer, theirs.start_as_current_span("theirs"), span("inner") as inner:
        pass
    seen = found.named("theirs")
    assert (trace_id_of(seen), parent_of(seen)) == (outer.trace_id, outer.span_id)
    assert span_id_of(seen) not in {outer.span_id, inner.span_id}
    assert not trace.get_current_span().get_span_context().is_valid


def test_what_another_package_leaves_current_does_not_stay(found):
    with span("publish"):
        attach(trace.set_span_in_context(exporting.provider_with().get_tracer("theirs").start_span("left")))
    with span("next") as step:
        pass
    assert parent_of(found.named("next")) == step.parent_id == ""


def test_a_trace_is_left_out_in_every_process_or_in_none(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    kept, left_out = "f" * 16 + "0" * 15 + "1", "0" * 16 + "f" * 16  # the ratio looks at the last 8 bytes
    with exported() as found:
        for trace_id in (kept, left_out):
            with span("webhook", trace_id=trace_id) as root, span("inner") as inner:
                assert root.traceparent.endswith("-01" if trace_id == kept else "-00")
                assert inner.traceparent.endswith("-01" if trace_id == kept else "-00")
            with span("process", Kind.CONSUMER, inner.span_id, trace_id=trace_id) as step:  # in another process
                assert step.is_recorded
    assert found.names == ["inner", "webhook", "process"]
    assert {trace_id_of(each) for each in found.spans} == {kept}


@pytest.mark.parametrize("trace_id", ["", "not hexadecimal", "0" * 32])
def test_ids_that_are_none_fail_no_event(found, trace_id, caplog):
    with span("process", Kind.CONSUMER, "nor this", trace_id=trace_id or None):
        assert current_span().name == "process"
    assert "A span could not be recorded." in caplog.messages
    assert found.names == []


def test_a_provider_that_cannot_be_made_fails_no_event(caplog):
    def broken():
        raise OSError("no threads left")

    record_by(exporting.OpenTelemetry(broken))
    try:
        with span("webhook") as step:
            assert not step.is_recorded
    finally:
        record_by()
    assert caplog.messages == ["A span could not be recorded."]


class Stuck(SpanExporter):
    """A collector that takes no spans."""

    def export(self, spans):
        raise OSError("nobody there")


def test_an_exporter_that_fails_fails_no_event(caplog):
    provider = exporting.provider_with(exporting.Batches(Stuck(), schedule_delay_millis=60_000))
    recorder = exporting.OpenTelemetry(lambda: provider)
    record_by(recorder)
    try:
        with span("webhook") as step:
            assert step.is_recorded
        recorder.stop()
    finally:
        record_by()
    assert "Exception while exporting Span." in caplog.messages


def test_a_process_that_ends_does_not_wait_for_a_collector_that_hangs(monkeypatch):
    answer, asked = threading.Event(), threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans):
            asked.set()
            answer.wait()

    monkeypatch.setattr(exporting, "FLUSH_SECONDS", 0.1)
    recorder = exporting.OpenTelemetry(lambda: exporting.provider_with(exporting.Batches(Hanging())))
    record_by(recorder)
    try:
        with span("webhook"):
            pass
        recorder.stop()  # comes back, though
        assert asked.is_set() and not answer.is_set()
    finally:
        record_by()
        answer.set()


def test_the_resource_tells_the_service_and_the_process(settings, monkeypatch):
    told = exporting.provider_with().resource.attributes
    assert told["service.name"] == "commerce-coordinator"
    assert told["service.version"] == settings.CC_VERSION
    assert told["process.pid"] == os.getpid()
    assert told["commerce_coordinator.role"] == settings.CC_ROLE
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=stage,service.version=7")
    told = exporting.provider_with().resource.attributes
    assert (told["service.name"], told["service.version"]) == ("shop", "7")
    assert told["deployment.environment.name"] == "stage"
