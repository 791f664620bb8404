"""What the columns mean, in sentences for people. Pure functions over rows.

A state that this code does not know (deploys overlap) is told as it is, never an error.
"""

from collections.abc import Callable
from datetime import datetime

from commerce_coordinator.core.deliveries.models import Attempt, Delivery
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import ASIDE

from .showing import roughly, utc

_ERRORS = {
    "LeaseExpired": "Nobody knows how far it came: the process that ran it died, hung or was paused.",
    "UnknownReceiver": "No receiver has this path: it was renamed without an alias, or its plugin was removed.",
    "GiveUp": "The receiver gave up: trying again will not help until something is changed.",
    "Retry": "The receiver expects this to pass by itself.",
}

#: What is said once no other try follows: why, and what to do next.
_DEAD = {
    "LeaseExpired": f"{_ERRORS['LeaseExpired']} Find out from the log what ended it, then replay it.",
    "UnknownReceiver": f"{_ERRORS['UnknownReceiver']} Bring it back or give it an alias, then replay it.",
    "GiveUp": f"{_ERRORS['GiveUp']} Its error text says what; then replay it.",
    "Retry": "It did not pass in all its tries. See what the far side answered; when that is mended, replay it.",
}

_OUTCOMES: dict[str, str] = {
    Attempt.Outcome.SUCCEEDED: "It succeeded",
    Attempt.Outcome.RETRY: "It failed, and another try was planned",
    Attempt.Outcome.DEAD: "It failed, and no other try followed",
    Attempt.Outcome.LOST: "It was lost: the worker did not come back before its lease ran out",
}

_NO_NEXT_ATTEMPT: dict[str, str] = {
    Delivery.State.RUNNING: "one runs now",
    Delivery.State.SUCCEEDED: "none: it succeeded",
    Delivery.State.DEAD: "none: it gave up",
    Delivery.State.CANCELLED: "none: it was cancelled",
}


def of_delivery(delivery: Delivery, *, most: int, now: datetime) -> str:
    """How it stands with a delivery, and what happens next. `most`: tries of one generation."""
    sentences: dict[str, Callable[[Delivery, int, datetime], str]] = {
        Delivery.State.PENDING: _pending,
        Delivery.State.RUNNING: _running,
        Delivery.State.SUCCEEDED: _succeeded,
        Delivery.State.DEAD: _dead,
        Delivery.State.CANCELLED: _cancelled,
    }
    sentence = sentences.get(delivery.state)
    return sentence(delivery, most, now) if sentence else f"It is {delivery.state}."


def _pending(delivery: Delivery, most: int, now: datetime) -> str:
    away = (delivery.next_attempt_at - now).total_seconds()
    which = f"Try {delivery.attempts + 1} of at most {max(most, delivery.attempts + 1)}"
    at = f"{utc(delivery.next_attempt_at)} UTC"
    if away > 0:
        return f"{which} is due at {at}, in {roughly(away)}."
    return f"{which} is due since {at}, {roughly(-away)} ago, and waits for a worker."


def _running(delivery: Delivery, most: int, now: datetime) -> str:
    since = f"since {utc(delivery.claimed_at)} UTC" if delivery.claimed_at else "now"
    text = f"Try {delivery.attempts} runs {since}" + (f" on {delivery.worker}." if delivery.worker else ".")
    if delivery.lease_until and delivery.lease_until <= now:
        return f"{text} Its lease ran out at {utc(delivery.lease_until)} UTC: the relay takes it back."
    return f"{text} Its lease ends at {utc(delivery.lease_until)} UTC."


def _succeeded(delivery: Delivery, most: int, now: datetime) -> str:
    return f"It succeeded at {utc(delivery.settled_at)} UTC, with try {delivery.attempts}."


def _dead(delivery: Delivery, most: int, now: datetime) -> str:
    tries = {0: "without a try", 1: "after 1 try"}.get(delivery.attempts, f"after {delivery.attempts} tries")
    return f"It gave up at {utc(delivery.settled_at)} UTC, {tries}. Nothing happens until it is replayed."


def _cancelled(delivery: Delivery, most: int, now: datetime) -> str:
    return f"An operator cancelled it at {utc(delivery.settled_at)} UTC. Nothing happens until it is replayed."


def of_next_attempt(delivery: Delivery) -> str:
    """When the next try is, or why there is none."""
    if delivery.state == Delivery.State.PENDING:
        return f"{utc(delivery.next_attempt_at)} UTC"
    return _NO_NEXT_ATTEMPT.get(delivery.state, f"none: it is {delivery.state}")


def of_attempt(attempt: Attempt) -> str:
    """How a try ended, and how long it took."""
    took = roughly((attempt.ended_at - attempt.started_at).total_seconds())
    outcome = _OUTCOMES.get(attempt.outcome, f"It ended as {attempt.outcome}")
    return f"{outcome}. It ended at {utc(attempt.ended_at)} UTC, after {took}."


def of_event(event: InboxEvent) -> str:
    """What became of an event."""
    reason = f" {event.reason}" if event.reason else ""
    if event.state == InboxEvent.State.IGNORED and event.reason.startswith(ASIDE):
        return f"{event.reason} A replay takes that back."
    sentences: dict[str, str] = {
        InboxEvent.State.SENT: "A signal was sent because of it.",
        InboxEvent.State.IGNORED: f"It is none of our business.{reason}",
        InboxEvent.State.FAILED: f"No signal could be made of it.{reason} Mend the cause, then replay it.",
    }
    return sentences.get(event.state, f"It is {event.state}.{reason}")


def of_error(error_class: str, *, is_dead: bool = False) -> str:
    """What kind of error it was, and what to do if no other try follows; its own text is private."""
    if not error_class:
        return ""
    known = _DEAD if is_dead else _ERRORS
    return f"{error_class}. {known.get(error_class, 'The receiver raised it.')}"
