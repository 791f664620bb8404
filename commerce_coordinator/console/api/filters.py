"""The filters of the lists: each has a name, tells what it takes, and reads its text."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from commerce_coordinator.console import receiver_names
from commerce_coordinator.console.dead_letters import KINDS, WrongFilter, moment
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.exceptions import CoordinatorError
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.rest import cursor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One filter. read: its value from the text, or a CoordinatorError that names both what is wrong and right."""

    name: str
    tells: str
    read: Callable[[str], Any] = str
    choices: Sequence[str] = ()


def _one_of(name: str, choices: Sequence[str], tells: str) -> Field:
    def read(text: str) -> str:
        if text not in choices:
            raise WrongFilter(f"{name} is {text!r}; it must be one of {', '.join(choices)}.")
        return text

    return Field(name=name, tells=tells, read=read, choices=choices)


def _yes_or_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise WrongFilter(f"It is {text!r}; it must be true or false.")
    return text == "true"


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise WrongFilter(f"It is {text!r}; it must be the id of an event here, a UUID.") from None


_SINCE = Field(
    name="since", tells="An age, such as 90m, 24h or 7d, or a time of ISO 8601.", read=partial(moment, "since")
)
_UNTIL = Field(name="until", tells="The same: what came in before it.", read=partial(moment, "until"))
_TRACE = Field(name="trace_id", tells="The whole trace id.")
_SUBJECT = Field(name="subject", tells="What it is about: an order number, as a rule.")
_PERSON = Field(name="person", tells="Whom it is about: the LMS user id.")
_RECEIVER = Field(name="receiver", tells="Dotted path, or the short name that lists show.", read=receiver_names.path_of)
_SIGNAL = Field(
    name="signal", tells="Dotted path, or the short name that lists show.", read=receiver_names.signal_path_of
)
_PROVIDER = Field(name="provider", tells="Such as stripe.")
_ERROR = Field(name="error", tells="The error's class, such as GiveUp.")

EVENTS = (
    _PROVIDER,
    Field(name="account", tells="Which of our accounts at the provider."),
    _one_of("state", InboxEvent.State.values, "What became of it."),
    Field(name="event_id", tells="The provider's id."),
    _TRACE,
    _SINCE,
    _UNTIL,
)
DISPATCHES = (
    _SIGNAL,
    _SUBJECT,
    _PERSON,
    Field(name="unrouted", tells="true: nobody received it.", read=_yes_or_no, choices=("true", "false")),
    _TRACE,
    Field(name="event", tells="The id (not the provider's) of the event that it was sent because of.", read=_key),
    _SINCE,
    _UNTIL,
)
DELIVERIES = (
    _one_of("state", Delivery.State.values, "Where it stands."),
    _RECEIVER,
    _SIGNAL,
    _ERROR,
    _SUBJECT,
    _PERSON,
    _TRACE,
    _SINCE,
    _UNTIL,
)
#: As `dead_letters.Filter` knows them.
DEAD_LETTERS = (
    _one_of("kind", KINDS, "Dead deliveries, failed events or unrouted dispatches."),
    _PROVIDER,
    _SIGNAL,
    _RECEIVER,
    _ERROR,
    _SUBJECT,
    _SINCE,
    _UNTIL,
    Field(name="ended_by", tells="Deliveries that had died by then only.", read=partial(moment, "ended_by")),
)


def parameters(fields: Sequence[Field]) -> list[OpenApiParameter]:
    """For the OpenAPI document."""
    return [OpenApiParameter(each.name, description=each.tells, enum=each.choices or None) for each in fields]


def read(fields: Sequence[Field], told: Mapping[str, Any]) -> dict[str, Any]:
    """The values by name; empty texts count for nothing. Raises ValidationError, which names each wrong filter."""
    found, wrong = {}, {}
    known = {each.name: each for each in fields}
    for name, text in told.items():
        if name not in known:
            wrong[name] = [f"There is no such filter. There are: {', '.join(known)}."]
        elif text.strip():
            try:
                found[name] = known[name].read(text.strip())
            except CoordinatorError as error:
                wrong[name] = [str(error)]
    if wrong:
        raise ValidationError(wrong)
    return found


def of_query(fields: Sequence[Field], request: Request) -> dict[str, Any]:
    """The same, of an address."""
    told = request.query_params.dict()
    return read(fields, {name: text for name, text in told.items() if name not in cursor.NAMES})
