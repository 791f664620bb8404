"""Payloads in and out of the rows: strict when a signal is sent, lenient when a stored payload is read back.

Deploys overlap: a worker of yesterday's code reads rows of today's, and the other way round.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from pydantic import BaseModel, ValidationError

from commerce_coordinator.core.exceptions import GiveUp, InvalidPayload

from .privacy import hide

_contracts: dict[str, type[BaseModel] | None] = {}


def remember(signal: str, contract: type[BaseModel] | None) -> None:
    """Tell this room the contract of a signal, so that stored payloads can be read back as typed values."""
    _contracts[signal] = contract


def validate(signal: str, contract: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """The values as the contract's model. Raises InvalidPayload naming fields and reasons, never values."""
    try:
        return contract.model_validate(dict(values), extra="forbid")
    except ValidationError as error:
        raise _invalid(signal, contract, error) from None


def validate_json(signal: str, contract: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """The same for values that are JSON's: there a list may be a tuple, and a text a date."""
    try:
        return contract.model_validate_json(json.dumps(values), extra="forbid")
    except ValidationError as error:
        raise _invalid(signal, contract, error) from None


def values_of(payload: BaseModel) -> dict[str, Any]:
    """The fields as receivers get them: typed objects by name."""
    return {name: getattr(payload, name) for name in type(payload).model_fields}


def to_json(values: Mapping[str, Any]) -> Any:
    """Plain values as JSON types; None when they are no JSON (allowed while only inline receivers get them)."""
    try:
        return json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
    except (TypeError, ValueError):
        return None


def read(signal: str, stored: Any) -> dict[str, Any]:
    """The stored payload as typed values. Fields the contract no longer has are dropped.

    Raises GiveUp when a field is missing that the contract demands: waiting does not heal that.
    """
    if stored is None:
        raise GiveUp("The payload was not kept: it was no JSON, or retention has emptied it.")
    contract = _contracts.get(signal)
    if contract is None:
        return dict(stored)
    try:
        # As JSON: a strict contract takes a list for a tuple, or a text for a date, only from there.
        return values_of(contract.model_validate_json(json.dumps(stored), extra="ignore"))
    except ValidationError as error:
        raise GiveUp(f"The stored payload no longer fits {contract.__name__}: {_reasons(error)}.") from None


def is_known(signal: str) -> bool:
    """Has the signal a contract, which says what of a stored payload is private?"""
    return _contracts.get(signal) is not None


def masked(signal: str, stored: Any) -> Any:
    """The stored payload for eyes without the permission: private fields are hidden."""
    return hide(_contracts.get(signal), stored)


#: What pydantic says of these quotes the input, or is a plugin's own text.
_WORDS = {
    "union_tag_invalid": "Input is of none of the kinds that are known",
    "value_error": "Input is refused by a validator",
    "assertion_error": "Input is refused by a validator",
}


def _invalid(signal: str, contract: type[BaseModel], error: ValidationError) -> InvalidPayload:
    fields: dict[str, list[str]] = {}
    for place, reason in _places(error):
        fields.setdefault(place, []).append(reason)
    return InvalidPayload(
        f"The payload of {signal} does not fit {contract.__name__}: {_reasons(error)}.", fields=fields
    )


def _reasons(error: ValidationError) -> str:
    return "; ".join(f"{place}: {reason}" for place, reason in _places(error))


def _places(error: ValidationError) -> list[tuple[str, str]]:
    """Fields and reasons, no values. Below the first level a place is told as far as it is no key of a mapping."""
    items = error.errors(include_url=False, include_context=False, include_input=False)
    return [(_place(item["loc"]), _WORDS.get(item["type"], item["msg"])) for item in items]


def _place(loc: tuple[int | str, ...]) -> str:
    known = [
        str(part) if index == 0 or isinstance(part, int) or part.isidentifier() else "…"
        for index, part in enumerate(loc)
    ]
    return ".".join(known) or "payload"
