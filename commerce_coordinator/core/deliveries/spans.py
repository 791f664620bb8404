"""The spans of the way from a sending to its receivers, told by OpenTelemetry's conventions for messages.

A sending is what others take up later, and an attempt is where it is taken up: the attempt's span is a step of the
dispatch's, whichever process it runs in and however late. Publishing is a step of whoever publishes; what it is about
it links to.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from celery import current_app, current_task
from django.conf import settings

from commerce_coordinator.core.paths import short
from commerce_coordinator.core.telemetry import attributes as names
from commerce_coordinator.core.telemetry.context import Span, span
from commerce_coordinator.core.telemetry.recording import Kind, safely

from .claims import Claim
from .models import Attempt, Delivery, Dispatch

#: As many as OpenTelemetry keeps of a span, unless told otherwise.
MOST_LINKS = 128

#: Names that the conventions give to systems that Celery's URLs call otherwise.
_SYSTEMS = {"amqp": "rabbitmq", "amqps": "rabbitmq", "pyamqp": "rabbitmq", "rediss": "redis"}


def dispatching(signal: str) -> contextlib.AbstractContextManager[Span]:
    """Around the writing of a dispatch: the row has this span's ids."""
    return span(f"send {short(signal)}", Kind.PRODUCER)


def describe_dispatch(step: Span, dispatch: Dispatch, deliveries: Sequence[Delivery]) -> None:
    step.note(
        lambda: {
            **_message("create"),
            names.MESSAGE_COUNT: len(deliveries),
            names.DISPATCH_ID: str(dispatch.pk),
            names.DISPATCH_ORIGIN: str(dispatch.origin),
            names.SIGNAL: dispatch.signal,
            names.EVENT_ID: _text(dispatch.event_id),
        }
    )


@contextlib.contextmanager
def publishing(deliveries: Sequence[Delivery]) -> Iterator[Span]:
    """Around the publishing of deliveries' ids."""
    with span("publish", Kind.PRODUCER) as step:
        step.note(lambda: {**_message("send"), names.MESSAGE_COUNT: len(deliveries)})
        if step.takes_links:
            safely(_link_to_dispatches, step, deliveries[:MOST_LINKS])
        yield step


@contextlib.contextmanager
def attempting(claimed: Claim) -> Iterator[Span]:
    """Around an attempt in a worker."""
    delivery, dispatch = claimed.delivery, claimed.delivery.dispatch
    with span(
        f"process {short(delivery.receiver)}",
        Kind.CONSUMER,
        dispatch.span_id,
        trace_id=dispatch.trace_id,
        delivery=delivery.pk,
    ) as step:
        step.note(
            lambda: {
                **_message("process"),
                names.MESSAGE_ID: _message_id(),
                names.ATTEMPT_ID: str(claimed.claim_id),
                names.ATTEMPT_NUMBER: delivery.attempts,
                names.DELIVERY_GENERATION: delivery.generation,
                **_what(delivery, dispatch),
            }
        )
        if step.takes_links and delivery.generation:
            safely(_link_to_the_first, step, delivery, dispatch)
        yield step


@contextlib.contextmanager
def receiving_inline(delivery: Delivery, dispatch: Dispatch) -> Iterator[Span]:
    """Around an inline receiver, which runs where its signal is sent."""
    name = short(delivery.receiver)
    with span(name, Kind.INTERNAL, dispatch.span_id, trace_id=dispatch.trace_id, delivery=delivery.pk) as step:
        step.note(lambda: _what(delivery, dispatch))
        yield step


def _what(delivery: Delivery, dispatch: Dispatch) -> dict[str, Any]:
    return {
        names.RECEIVER: delivery.receiver,
        names.SIGNAL: dispatch.signal,
        names.DISPATCH_ID: str(dispatch.pk),
        names.EVENT_ID: _text(dispatch.event_id),
    }


def _message(operation: str) -> dict[str, str]:
    scheme = str(settings.CELERY_BROKER_URL).partition(":")[0]
    return {
        names.MESSAGE_SYSTEM: _SYSTEMS.get(scheme, scheme),
        names.MESSAGE_DESTINATION: current_app.conf.task_default_queue,
        names.MESSAGE_OPERATION: operation,
        names.MESSAGE_OPERATION_TYPE: operation,
    }


def _message_id() -> str | None:
    request: Any = current_task.request if current_task else None
    return request.id if request else None


def _link_to_the_first(step: Span, delivery: Delivery, dispatch: Dispatch) -> None:
    """From a replay to the last try before it. One statement more, where spans are exported."""
    earlier = Attempt.objects.filter(delivery=delivery, generation__lt=delivery.generation)
    span_id = earlier.order_by("-generation", "-number").values_list("span_id", flat=True).first()
    if span_id:
        step.link(dispatch.trace_id, span_id)


def _link_to_dispatches(step: Span, deliveries: Sequence[Delivery]) -> None:
    """Each dispatch that they are of. One statement, where they were read without."""
    known = {each.dispatch_id: each.dispatch for each in deliveries if "dispatch" in each._state.fields_cache}
    found = {key: (each.trace_id, each.span_id) for key, each in known.items()}
    unknown = {each.dispatch_id for each in deliveries} - set(found)
    if unknown:
        rows = Dispatch.objects.filter(pk__in=unknown).values_list("pk", "trace_id", "span_id")
        found.update({key: (trace_id, span_id) for key, trace_id, span_id in rows})
    for trace_id, span_id in found.values():
        step.link(trace_id, span_id)


def _text(key: Any) -> str | None:
    return str(key) if key else None
