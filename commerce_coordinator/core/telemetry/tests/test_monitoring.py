"""What OPENEDX_TELEMETRY names gets ids and errors, and nothing private."""

import sys
import traceback

import pytest
from edx_django_utils.monitoring import TelemetryBackend

from commerce_coordinator.core.telemetry.attributes import DELIVERY_STATE, HTTP_STATUS
from commerce_coordinator.core.telemetry.context import record_by, recorders, span
from commerce_coordinator.core.telemetry.monitoring import Monitoring


class Backend(TelemetryBackend):
    """Keeps what it is told."""

    attributes: "list[tuple[str, object]]" = []
    exceptions: "list[BaseException | None]" = []

    def set_attribute(self, key, value):
        self.attributes.append((key, value))

    def record_exception(self):
        self.exceptions.append(sys.exc_info()[1])

    def create_span(self, name, operation_name=None):
        raise NotImplementedError

    def tag_root_span_with_error(self, exception):
        raise NotImplementedError

    def set_local_root_span_name(self, name, group=None, priority=None):
        raise NotImplementedError


@pytest.fixture
def backend(settings):
    settings.OPENEDX_TELEMETRY = [f"{__name__}.Backend"]
    Backend.attributes.clear()
    Backend.exceptions.clear()
    before = recorders()
    record_by(Monitoring())
    yield Backend
    record_by(*before)


def test_ids_are_told_once(backend):
    with span("process", delivery="d") as step, span("GET"), span("step", filter="f"):
        step.note({DELIVERY_STATE: "succeeded", HTTP_STATUS: 200})
    assert backend.attributes == [
        ("commerce_coordinator.trace.id", step.trace_id),
        ("commerce_coordinator.delivery.id", "d"),
        ("commerce_coordinator.filter", "f"),
        ("commerce_coordinator.delivery.state", "succeeded"),
    ]


def test_an_error_is_told_by_its_class_and_place_without_its_text(backend):
    def receiver():
        raise LookupError("ada@example.com has no seat")

    with span("process") as step:
        try:
            receiver()
        except LookupError as error:
            step.fail(error)
    [told] = backend.exceptions
    assert type(told).__name__ == "LookupError"
    shown = "".join(traceback.format_exception(told))
    assert "in receiver" in shown and "test_monitoring.py" in str(told)
    assert "ada@" not in shown.replace('raise LookupError("ada@example.com has no seat")', "")
    assert told.__cause__ is None and told.__context__ is None


def test_an_error_that_passes_through_many_spans_is_told_where_it_is_dealt_with(backend):
    with span("process") as step:
        try:
            with span("step"), span("GET") as call:
                call.fail("503")
                raise LookupError
        except LookupError as error:
            step.fail(error)
    assert len(backend.exceptions) == 1
