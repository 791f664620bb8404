"""From a sending to its receivers: spans with the ids of the rows, one tree across processes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from opentelemetry.trace import SpanKind, StatusCode

from commerce_coordinator.core.deliveries import spans
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.relay import Relay
from commerce_coordinator.core.deliveries.replay import replay
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.telemetry.tests.in_memory import (
    Exported,
    attributes_of,
    exported,
    links_of,
    parent_of,
    span_id_of,
    trace_id_of,
)
from commerce_coordinator.core.testing import routes_as

from . import receivers_for_tests as r

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

SEND = "send receivers_for_tests.happened"
ACT = "process receivers_for_tests.act"


@pytest.fixture
def found():
    with exported() as found:
        yield found


def send() -> Delivery:
    [(_, recorded)] = r.happened.send_robust(sender="test", order_number="EDX-1", name="Ada Lovelace")
    assert isinstance(recorded, Delivery)
    return recorded


def test_a_sending_is_a_span_with_the_ids_of_its_row(found: Exported) -> None:
    with span("webhook") as outer:
        send()
    dispatch, sent = Dispatch.objects.get(), found.named(SEND)
    assert (trace_id_of(sent), span_id_of(sent)) == (dispatch.trace_id, dispatch.span_id)
    assert (parent_of(sent), sent.kind) == (outer.span_id, SpanKind.PRODUCER)
    told = attributes_of(sent)
    assert told["messaging.system"] == "embedded"
    assert told["messaging.destination.name"] == "celery"
    assert told["messaging.operation.type"] == "create"
    assert told["commerce_coordinator.dispatch.id"] == str(dispatch.pk)
    assert told["commerce_coordinator.signal"] == r.happened.name


def test_what_cannot_be_told_of_a_span_stops_nothing(found: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the writing of a dispatch, nor its publishing; and no claimed delivery is left to its lease."""

    def broken(operation: str) -> dict[str, str]:
        raise RuntimeError(operation)

    monkeypatch.setattr(spans, "_message", broken)
    with span("webhook"):
        delivery = send()
    assert deliver(delivery.pk.hex) == "succeeded"
    assert {SEND, ACT} <= set(found.names)


def test_publishing_is_a_step_of_whoever_sends_and_linked_to_what_was_sent(found: Exported) -> None:
    with span("webhook") as outer:
        send()
    dispatch, published = Dispatch.objects.get(), found.named("publish")
    assert (parent_of(published), published.kind) == (outer.span_id, SpanKind.PRODUCER)
    assert links_of(published) == [(dispatch.trace_id, dispatch.span_id)]
    assert attributes_of(published)["messaging.batch.message_count"] == 1


def test_an_attempt_is_a_span_with_the_id_of_its_row_and_a_step_of_the_dispatch(found: Exported) -> None:
    delivery = send()
    deliver(str(delivery.pk))
    dispatch, attempt, acted = Dispatch.objects.get(), Attempt.objects.get(), found.named(ACT)
    assert (trace_id_of(acted), span_id_of(acted)) == (dispatch.trace_id, attempt.span_id)
    assert (parent_of(acted), acted.kind) == (dispatch.span_id, SpanKind.CONSUMER)
    assert acted.status.status_code is StatusCode.UNSET
    told = attributes_of(acted)
    assert told["messaging.operation.type"] == "process"
    assert told["commerce_coordinator.delivery.id"] == str(delivery.pk)
    assert told["commerce_coordinator.delivery.state"] == "succeeded"
    assert told["commerce_coordinator.attempt.id"] == str(attempt.pk)
    assert told["commerce_coordinator.attempt.number"] == 1
    assert told["commerce_coordinator.receiver"] == f"{r.HERE}.act"


def test_what_an_attempt_sends_is_a_step_of_it(found: Exported) -> None:
    with routes_as({r.happened.name: [f"{r.HERE}.send_on"], r.followed.name: []}):
        deliver(str(send().pk))
    [attempt] = Attempt.objects.all()
    nested = [each for each in found.spans if each.name == "send receivers_for_tests.followed"]
    assert [parent_of(each) for each in nested] == [attempt.span_id] * 2
    assert {span_id_of(each) for each in nested} == {each.span_id for each in Dispatch.objects.exclude(parent=None)}


def test_a_failed_attempt_leaves_as_its_class_alone(found: Exported) -> None:
    r.script.append(r.Retry("ada@example.com is not known there"))
    deliver(str(send().pk))
    acted = found.named(ACT)
    assert (acted.status.status_code, acted.status.description) == (StatusCode.ERROR, None)
    assert attributes_of(acted)["error.type"] == "Retry"
    assert attributes_of(acted)["commerce_coordinator.delivery.state"] == "pending"
    assert acted.events == ()


def test_no_span_tells_payload_or_error(found: Exported) -> None:
    r.script.append(ValueError("ada@example.com"))
    deliver(str(send().pk))
    everything = "".join(each.to_json() for each in found.spans)
    assert len(found.spans) == 3
    assert not [word for word in ("Ada", "ada@", "EDX-1") if word in everything]


def test_a_replay_is_linked_to_the_last_try_before_it(found: Exported) -> None:
    r.script.extend([r.Retry("later"), r.GiveUp("no")])
    delivery = send()
    deliver(str(delivery.pk))
    Delivery.objects.update(next_attempt_at=timezone.now())
    deliver(str(delivery.pk))
    last = Attempt.objects.get(number=2)
    replay(Delivery.objects.get())
    deliver(str(delivery.pk))
    first, second, again = (each for each in found.spans if each.name == ACT)
    assert [links_of(each) for each in (first, second)] == [[], []]
    assert links_of(again) == [(last.delivery.dispatch.trace_id, last.span_id)]
    assert attributes_of(again)["commerce_coordinator.delivery.generation"] == 1


def test_an_inline_receiver_is_a_step_of_the_dispatch(found: Exported) -> None:
    with routes_as({r.happened.name: [f"{r.HERE}.note", f"{r.HERE}.fail"], r.followed.name: []}):
        r.happened.send_robust(sender="test", order_number="EDX-1")
    dispatch = Dispatch.objects.get()
    noted, failed = found.named("receivers_for_tests.note"), found.named("receivers_for_tests.fail")
    assert parent_of(noted) == parent_of(failed) == dispatch.span_id
    assert (noted.status.status_code, failed.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert attributes_of(failed)["error.type"] == "ValueError"


def test_a_round_of_the_relay_that_publishes_is_a_trace_of_its_own_linked_to_what_it_sweeps_up(found: Exported) -> None:
    send()
    found.exporter.clear()
    Relay().tick(timezone.now() + timedelta(seconds=60))
    dispatch, published = Dispatch.objects.get(), found.named("publish")
    assert (parent_of(published), published.kind) == ("", SpanKind.PRODUCER)
    assert trace_id_of(published) != dispatch.trace_id
    assert links_of(published) == [(dispatch.trace_id, dispatch.span_id)]


def test_a_round_of_the_relay_that_has_nothing_to_do_has_no_span(found: Exported) -> None:
    Relay().tick()  # sends the canary
    assert found.names == []


def test_a_message_that_comes_twice_has_one_attempt_and_one_span(found: Exported) -> None:
    delivery = send()
    deliver(str(delivery.pk))
    deliver(str(delivery.pk))
    assert found.names.count(ACT) == 1


def test_links_that_cannot_be_read_fail_nothing(found: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise OSError

    monkeypatch.setattr("commerce_coordinator.core.deliveries.spans._link_to_the_first", broken)
    monkeypatch.setattr("commerce_coordinator.core.deliveries.spans._link_to_dispatches", broken)
    delivery = send()
    Delivery.objects.update(generation=1)
    deliver(str(delivery.pk))
    assert Delivery.objects.get().state == Delivery.State.SUCCEEDED
