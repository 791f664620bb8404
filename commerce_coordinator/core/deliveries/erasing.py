"""Payloads without the person: what a contract marks private, and who it is about, is replaced for good.

The rest stays, and the payload still fits its contract: a receiver that needs no person can run, money that goes back
for one. What stands in for a name can be no user name or e-mail address of anybody.
"""

from collections.abc import Mapping
from typing import Any

from commerce_coordinator.core.telemetry.masking import MASK

from . import contracts
from .models import Delivery
from .receivers import UnknownReceiver, parameters, resolve

ERASED = "(retired learner)"
ERASED_TEXT = "Erased: the learner has retired."


def erased(signal: str, stored: Any, *, person: str | None = None) -> Any:
    """The stored payload without private values and without the field `person`. None where no contract explains it."""
    if stored is None or not contracts.is_known(signal):
        return None
    found = _erased(stored, contracts.masked(signal, stored))
    if person and isinstance(found, dict) and found.get(person) is not None:
        found[person] = _nothing(stored[person])
    return found


def needs_person(delivery: Delivery, stored: Any, without: Any) -> bool:
    """Does the receiver take any value that differs between the payload and the one `without` the person?"""
    if not isinstance(stored, Mapping) or not isinstance(without, Mapping):
        return True
    changed = {name for name, value in stored.items() if without.get(name) != value}
    return _takes(delivery, changed)


def needs_what_is_erased(delivery: Delivery) -> bool:
    """Does the receiver take a value that a retirement has erased?"""
    stored = delivery.dispatch.payload
    return isinstance(stored, Mapping) and _takes(delivery, {name for name, each in stored.items() if each == ERASED})


def _takes(delivery: Delivery, names: set[str]) -> bool:
    if not names:
        return False
    try:
        accepted, _, takes_any = parameters(resolve(delivery.receiver, delivery.kind).function)
    except UnknownReceiver:
        return True
    return takes_any or bool(accepted & names)


def _erased(stored: Any, shown: Any) -> Any:
    """Walk the payload beside what is shown of it to eyes without the permission: what is hidden there goes."""
    if isinstance(stored, dict) and isinstance(shown, dict) and stored.keys() == shown.keys():
        return {name: _erased(value, shown[name]) for name, value in stored.items()}
    if isinstance(stored, list) and isinstance(shown, list) and len(stored) == len(shown):
        return [_erased(*pair) for pair in zip(stored, shown, strict=True)]
    return _nothing(stored) if shown == MASK else shown


def _nothing(value: Any) -> Any:
    """Of the same type, so that it still fits the contract. An id of 0 is nobody's."""
    if isinstance(value, str):
        return ERASED
    return None if value is None else type(value)()
