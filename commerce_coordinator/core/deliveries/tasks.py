"""Delivery tasks: receivers that a worker runs, durably.

    @delivery_task(sends=["my_shop.signals.seat_reserved"])
    def reserve_seat(order_number, course_key):
        ...

The function gets the fields of the payload that it names. It runs at least once, perhaps twice after a crash: look
before you act. Raise `Retry` for what may pass, `GiveUp` for what will not heal; anything else is retried by the
schedule.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from commerce_coordinator.core.exceptions import DirectCallRefused, GiveUp, Retry
from commerce_coordinator.core.telemetry.attributes import DELIVERY_STATE
from commerce_coordinator.core.telemetry.masking import where

from . import claims, contracts, spans
from .models import Delivery, Heartbeat
from .receivers import (
    INLINE_TASK,
    TaskReceiver,
    UnknownReceiver,
    call,
    declared_sends,
    register,
    resolve,
    schedule_of,
)
from .retry import max_attempts
from .running import RunningAttempt, run_as

logger = logging.getLogger(__name__)

CANARY_TASK = "commerce_coordinator.core.deliveries.tasks.canary"
WORKER_HEARTBEAT = "worker"


class DeliveryTask(Task):
    """A Celery task whose message is a delivery's id. Called as a plain function it is just the function."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return self.run(*args, **kwargs)
        # Nothing is returned: Celery would log it, and no one waits for it.
        deliver(*args, **kwargs)
        return None

    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        raise DirectCallRefused(
            f"{self.name} is a delivery task: send a signal that is routed to it instead of delay() or apply_async()."
        )

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        return self.apply_async()


def delivery_task(
    function: Callable[..., Any] | None = None,
    *,
    sends: Sequence[Any] = (),
    schedule: Sequence[float] | None = None,
    aliases: Sequence[str] = (),
    **celery_options: Any,
) -> Any:
    """Make a function a delivery task.

    sends: the signals it sends, as objects or dotted paths; the flow is then known before anything ran.
    schedule: seconds between its attempts, instead of CC_RETRY_SCHEDULE.
    aliases: dotted paths it had before; open deliveries find it by them.
    celery_options: of Celery's task decorator, e.g. time_limit (seconds; must stay under CC_LEASE_SECONDS).
    """

    def decorate(function: Callable[..., Any]) -> Any:
        path = f"{function.__module__}.{function.__qualname__}"
        register(
            TaskReceiver(
                path=path,
                function=function,
                sends=tuple(sends),
                schedule=tuple(schedule) if schedule is not None else None,
                aliases=tuple(aliases),
            )
        )
        task = shared_task(base=DeliveryTask, typing=False, name=path, **celery_options)(function)
        for alias in aliases:
            # Messages under the old name may still lie in the broker; a worker throws unknown ones away.
            shared_task(base=DeliveryTask, typing=False, name=alias, **celery_options)(function)
        return task

    return decorate if function is None else decorate(function)


def deliver(delivery_id: str) -> str | None:
    """Claim, attempt, settle. Returns the delivery's new state, or None when there was nothing to do for us.

    At most four statements: read, claim, settle, attempt.
    """
    try:
        key = uuid.UUID(str(delivery_id))
    except ValueError:
        logger.warning("A message names no delivery: not a UUID.")
        return None
    claimed = claims.claim(key)
    if claimed is None:
        return None
    delivery = claimed.delivery
    attempt = RunningAttempt(
        delivery_id=delivery.pk,
        attempt_id=claimed.claim_id,
        receiver=delivery.receiver,
        number=delivery.attempts,
        idempotency_key=delivery.idempotency_key,
        declared_sends=None,
    )
    receiver: TaskReceiver | None = None
    error: Exception | None = None
    with spans.attempting(claimed) as step, run_as(attempt):
        try:
            receiver = resolve(delivery.receiver, delivery.kind)
            attempt.declared_sends = declared_sends(receiver)
            attempt.is_last = attempt.number >= max_attempts(schedule_of(receiver))
            _run(receiver, delivery)
        except UnknownReceiver:
            error = GiveUp("No receiver has this path: it was renamed without an alias, or its plugin was removed.")
        except Exception as raised:  # every failure of a receiver is an outcome
            error = raised
            # Retry and GiveUp are said on purpose; of anything else somebody will want to see where it came from.
            if not isinstance(raised, (Retry, GiveUp)):
                logger.warning(
                    "Attempt failed.",
                    extra={"attempt": attempt.number, "error_class": type(raised).__name__, "where": where(raised)},
                )
        except BaseException as raised:
            # SystemExit and the like end the process, but not without a word.
            cut = Retry(f"The receiver raised {type(raised).__name__}.")
            claims.settle(claimed, cut, schedule=schedule_of(receiver), calls=attempt.calls, span_id=step.span_id)
            raise
        if error is not None:
            step.fail(error)
        state = claims.settle(claimed, error, schedule=schedule_of(receiver), calls=attempt.calls, span_id=step.span_id)
        step.note({DELIVERY_STATE: state})
        return state


def _run(receiver: TaskReceiver, delivery: Delivery) -> None:
    values = contracts.read(delivery.dispatch.signal, delivery.dispatch.payload)
    if delivery.kind == Delivery.Kind.INLINE:
        # Replayed: the sending object is long gone, its name must do.
        call(receiver.function, values, sender=delivery.dispatch.sender, signal=delivery.dispatch.signal)
    else:
        call(receiver.function, values)


@shared_task(name=INLINE_TASK, typing=False)
def run_inline_receiver(delivery_id: str) -> None:
    deliver(delivery_id)


@shared_task(name=CANARY_TASK, typing=False)
def canary(sent_at: float) -> None:
    """Tell the health check that a message goes all the way from a relay through the broker to a worker."""
    beat(WORKER_HEARTBEAT)


def beat(name: str, at: datetime | None = None) -> None:
    """Write down that `name` works now."""
    at = at or timezone.now()
    if not Heartbeat.objects.filter(name=name).update(beat_at=at):
        Heartbeat.objects.get_or_create(name=name, defaults={"beat_at": at})
