"""Inline receivers: plain functions, run where the signal is sent, each by itself, after the commit."""

import logging
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError
from django.db.models import Case, CharField, Q, TextField, Value, When
from django.utils import timezone

from commerce_coordinator.core.crash_points import reached
from commerce_coordinator.core.telemetry.masking import where

from .claims import error_class_of, error_text_of
from .dispatch import Recorded
from .models import Delivery
from .receivers import call
from .running import RunningAttempt, run_as
from .spans import receiving_inline

logger = logging.getLogger(__name__)


def run(recorded: Recorded) -> dict[str, Any]:
    """Run the inline receivers of a recorded sending. Returns result or exception by receiver path.

    A sending that was found (not new) ran its inline receivers then; they do not run again. What happened is settled
    in one statement; if that fails, the relay finds the leases run out.
    """
    if not recorded.new:
        return {}
    outcomes: dict[str, Any] = {}
    errors: dict[Any, Exception | None] = {}
    for route in recorded.sending.routes:
        delivery = recorded.delivery_of(route)
        if delivery is None or route.kind != Delivery.Kind.INLINE:
            continue
        outcomes[route.receiver], errors[delivery.pk] = _run_one(recorded, delivery, route.function)
        reached("inline.ran", route.receiver)
    if errors:
        _settle(recorded, errors)
        reached("inline.settled", recorded.sending.signal)
    return outcomes


def _run_one(recorded: Recorded, delivery: Delivery, function: Any) -> tuple[Any, Exception | None]:
    attempt = RunningAttempt(
        delivery_id=delivery.pk,
        attempt_id=None,
        receiver=delivery.receiver,
        number=1,
        idempotency_key=delivery.idempotency_key,
        declared_sends=None,
    )
    sending = recorded.sending
    with receiving_inline(delivery, recorded.dispatch) as step, run_as(attempt):
        try:
            return call(function, sending.values, sender=sending.sender, signal=sending.signal), None
        except SoftTimeLimitExceeded:
            raise  # the time of the task that sends is up; the relay ends this delivery
        except Exception as error:  # a receiver's failure is never the sender's
            logger.warning(
                "Inline receiver failed.",
                extra={"receiver": delivery.receiver, "error_class": type(error).__name__, "where": where(error)},
            )
            step.fail(error)
            return error, error


def _settle(recorded: Recorded, errors: dict[Any, Exception | None]) -> None:
    now = timezone.now()
    failed = {key: error for key, error in errors.items() if error is not None}
    changes: dict[str, Any] = {"settled_at": now, "wake_at": None, "lease_until": None}
    if not failed:
        changes["state"] = Delivery.State.SUCCEEDED
    else:
        changes["state"] = Case(
            When(pk__in=list(failed), then=Value(Delivery.State.DEAD)), default=Value(Delivery.State.SUCCEEDED)
        )
        changes["error_class"] = Case(
            *(When(pk=key, then=Value(error_class_of(error))) for key, error in failed.items()),
            default=Value(""),
            output_field=CharField(),
        )
        changes["error_text"] = Case(
            *(When(pk=key, then=Value(error_text_of(error))) for key, error in failed.items()),
            default=Value(""),
            output_field=TextField(),
        )
    ours = Q(pk__in=list(errors), state=Delivery.State.RUNNING, generation=0)
    try:
        settled = Delivery.objects.filter(ours).update(**changes)
    except (DatabaseError, InterfaceError) as error:
        logger.error(
            "Outcomes of inline receivers were not written; the relay will end them.",
            extra={"dispatch": str(recorded.dispatch.pk), "error_class": type(error).__name__},
        )
        return
    if settled != len(errors):
        logger.warning("Not settled: the lease ran out.", extra={"dispatch": str(recorded.dispatch.pk)})
