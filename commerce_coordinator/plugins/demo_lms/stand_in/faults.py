"""Faults on order: reading what was ordered, taking the next one, answering with it."""

from collections.abc import Mapping
from time import sleep
from typing import Any

from django.db.models import F, Q

from ..models import StandInFault
from .bodies import Answer, Refused

MOST_CALLS = 100_000
LONGEST_DELAY = 120.0  # seconds
LONGEST_RETRY_AFTER = 86_400  # seconds
LONGEST_LIFETIME = 86_400  # seconds
METHODS = ("GET", "POST", "DELETE")

_FIELDS = frozenset({"status", "delay", "count", "html", "retry_after", "when", "path", "method", "lifetime"})


def take(target: str, method: str) -> StandInFault | None:
    """The fault for this call, counted down; None when none is left. The oldest order is served first.

    Counting is one conditional UPDATE, so that threads and processes never share a count.
    """
    fitting = StandInFault.objects.filter(Q(method="") | Q(method=method), path=target, remaining__gt=0)
    while (fault := fitting.order_by("pk").first()) is not None:
        if fitting.filter(pk=fault.pk).update(remaining=F("remaining") - 1):
            return fault
    return None


def pause(fault: StandInFault) -> None:
    """Wait as long as the fault says. Never called inside a transaction."""
    if fault.delay:
        sleep(fault.delay)


def answer(fault: StandInFault) -> Answer:
    """The answer of a fault that has a status."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    status = fault.status or 500
    if fault.html:
        page = f"<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        return Answer(status=status, body=page, html=True, headers=headers)
    return Answer(status=status, body={"message": "This fault was asked for."}, headers=headers)


def read(body: Mapping[str, Any]) -> StandInFault:
    """The fault that a body orders, not yet saved. Raises Refused naming the field."""
    unknown = sorted(body.keys() - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise Refused(f"There is no such field. There are: {known}.", field=unknown[0][:100])
    fault = StandInFault(
        status=_integer(body, "status", 200, 599),
        delay=_delay(body),
        remaining=_integer(body, "count", 1, MOST_CALLS, default=1),
        html=_boolean(body, "html"),
        retry_after=_integer(body, "retry_after", 0, LONGEST_RETRY_AFTER),
        when=_choice(body, "when", StandInFault.When.values, StandInFault.When.BEFORE),
        path=_choice(body, "path", StandInFault.Target.values, StandInFault.Target.ENROLLMENT),
        method=_choice(body, "method", METHODS, ""),
        lifetime=_integer(body, "lifetime", 1, LONGEST_LIFETIME),
    )
    if fault.lifetime is not None and (fault.status is not None or fault.path != StandInFault.Target.OAUTH2):
        raise Refused("lifetime is that of a token: it needs the path oauth2, and no status.", field="lifetime")
    if fault.status is None:
        if not fault.delay and fault.lifetime is None:
            raise Refused("A fault needs a status, a delay, or both; or a token's lifetime.", field="status")
        for field in ("html", "retry_after"):
            if getattr(fault, field):
                raise Refused(f"{field} needs a status: without one the true answer is given, only later.", field=field)
    elif 200 < fault.status < 400:
        # Their bodies and headers have rules of their own; what a proxy's page looks like is 200 with html.
        raise Refused("status must be 200 or from 400 to 599.", field="status")
    return fault


def _integer(body: Mapping[str, Any], field: str, least: int, most: int, default: int | None = None) -> Any:
    value = body.get(field, default)
    if value is None and default is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refused(f"{field} must be a whole number from {least} to {most}.", field=field)
    return value


def _delay(body: Mapping[str, Any]) -> float:
    value = body.get("delay")
    if value is None:
        return 0.0
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Python reads 1e999 as infinity, which is out of the range too.
    if not number or not 0 <= value <= LONGEST_DELAY:
        raise Refused(f"delay must be a number of seconds from 0 to {LONGEST_DELAY:g}.", field="delay")
    return float(value)


def _boolean(body: Mapping[str, Any], field: str) -> bool:
    value = body.get(field, False)
    if not isinstance(value, bool):
        raise Refused(f"{field} must be true or false.", field=field)
    return value


def _choice(body: Mapping[str, Any], field: str, choices: Any, default: str) -> str:
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise Refused(f"{field} must be one of {', '.join(choices)}.", field=field)
    return value
