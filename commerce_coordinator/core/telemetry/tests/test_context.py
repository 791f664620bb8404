"""Spans: who is running right now, by ids that every log line and every call outside carries."""

import contextvars
import re
import threading

import pytest

from commerce_coordinator.core.telemetry.context import (
    current_span,
    current_trace_id,
    new_span_id,
    new_trace_id,
    span,
)


def test_outside_a_span_nothing_is_current():
    assert current_span() is None


def test_spans_nest_and_step_back():
    with span("webhook") as outer:
        assert current_span() is outer
        with span("receiver") as inner:
            assert current_span() is inner
        assert current_span() is outer
    assert current_span() is None


def test_a_span_steps_back_when_its_block_fails():
    with span("webhook") as outer:
        with pytest.raises(ZeroDivisionError), span("receiver"):
            raise ZeroDivisionError
        assert current_span() is outer
    assert current_span() is None


def test_an_inner_span_goes_on_with_the_trace_as_a_step_of_its_own():
    with span("webhook") as outer, span("receiver") as inner:
        assert inner.trace_id == outer.trace_id == current_trace_id()
        assert inner.span_id != outer.span_id


def test_outside_each_other_spans_start_traces_of_their_own():
    with span("webhook") as first:
        pass
    with span("webhook") as second:
        pass
    assert first.trace_id != second.trace_id
    assert current_trace_id() not in (first.trace_id, second.trace_id)


def test_ids_are_inherited_as_text_and_the_inner_ones_win():
    with span("webhook", provider="stripe", number=1), span("receiver", number=2, delivery="d") as inner:
        assert inner.ids == {"provider": "stripe", "number": "2", "delivery": "d"}
    with span("webhook", provider="stripe") as outer:
        with span("receiver", delivery="d"):
            pass
        assert outer.ids == {"provider": "stripe"}


def test_another_trace_inherits_no_ids():
    trace_id = new_trace_id()
    with span("webhook", provider="stripe") as outer, span("receiver", trace_id=trace_id, delivery="d") as inner:
        assert inner.trace_id == trace_id != outer.trace_id
        assert inner.ids == {"delivery": "d"}


def test_the_same_trace_named_again_inherits_ids():
    with span("webhook", provider="stripe") as outer, span("receiver", trace_id=outer.trace_id) as inner:
        assert inner.ids == {"provider": "stripe"}


def test_ids_have_the_form_of_w3c_trace_context():
    for _ in range(50):
        with span("webhook") as step:
            assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", step.traceparent)
            assert step.traceparent == f"00-{step.trace_id}-{step.span_id}-01"
    assert len({new_trace_id() for _ in range(100)}) == 100
    assert len({new_span_id() for _ in range(100)}) == 100


def test_a_thread_and_a_copied_context_see_their_own_spans():
    seen = {}
    with span("webhook") as step:
        copied = contextvars.copy_context()
        thread = threading.Thread(target=lambda: seen.update(thread=current_span()))
        thread.start()
        thread.join()
    assert seen == {"thread": None}
    assert copied.run(current_span) is step
