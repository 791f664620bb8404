"""Does what a contract carries fit what a receiver takes? Pure functions over type annotations.

Equal types, a base class, a union that has it, `Any` or no annotation fit. So does what Python itself lets pass: an
`int` for a `float`. What neither fits nor contradicts, a type variable for one, is not known.
"""

import enum
import types
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pydantic
from pydantic import BaseModel

from commerce_coordinator.core.deliveries.receivers import parameters

#: Names of pydantic's that check a value, and are not its type.
_STAND_FOR: dict[Any, type] = {
    pydantic.AwareDatetime: datetime,
    pydantic.NaiveDatetime: datetime,
    pydantic.PastDatetime: datetime,
    pydantic.FutureDatetime: datetime,
    pydantic.PastDate: date,
    pydantic.FutureDate: date,
    pydantic.EmailStr: str,
}


class Fit(enum.Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def misfits(contract: type[BaseModel], function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """(what does not fit, what cannot be told), each as `name: what it takes, where the contract carries what`.

    One entry `annotations` among the latter where they cannot be read at all.
    """
    try:
        accepted, _, _ = parameters(function)
        hints = get_type_hints(function)
    except Exception as error:  # a name that exists for type checkers only, whatever it raises when it is looked up
        return [], [f"annotations ({type(error).__name__})"]
    wrong, unknown = [], []
    for name in sorted(accepted & contract.model_fields.keys() & hints.keys()):
        carried, taken = contract.model_fields[name].annotation, hints[name]
        text = f"{name}: {shown(taken)}, where the contract carries {shown(carried)}"
        match fit(carried, taken):
            case Fit.NO:
                wrong.append(text)
            case Fit.UNKNOWN:
                unknown.append(text)
    return wrong, unknown


def fit(carried: Any, taken: Any) -> Fit:
    """May a value of the type `carried` be given where `taken` is asked for?"""
    carried, taken = _plain(carried), _plain(taken)
    if taken in (Any, object) or carried == taken:
        return Fit.YES
    if carried is Any or isinstance(carried, TypeVar) or isinstance(taken, TypeVar):
        return Fit.UNKNOWN
    if _is_union(carried):
        return _all(fit(each, taken) for each in get_args(carried))
    if _is_union(taken):
        return _any(fit(carried, each) for each in get_args(taken))
    if get_origin(carried) is Literal:
        if get_origin(taken) is Literal:
            return Fit.YES if set(get_args(carried)) <= set(get_args(taken)) else Fit.NO
        return _all(fit(type(value), taken) for value in get_args(carried))
    if get_origin(taken) is Literal:
        return Fit.NO
    return _classes(carried, taken)


def shown(annotation: Any) -> str:
    """As somebody would write it."""
    plain = _plain(annotation)
    if isinstance(plain, type) and not get_args(plain):
        return "None" if plain is types.NoneType else plain.__qualname__
    if _is_union(plain):
        return " | ".join(shown(each) for each in get_args(plain))
    return str(plain).replace("typing.", "").replace("collections.abc.", "")


def _classes(carried: Any, taken: Any) -> Fit:
    given, wanted = get_origin(carried) or carried, get_origin(taken) or taken
    if not isinstance(given, type) or not isinstance(wanted, type):
        return Fit.UNKNOWN
    if given.__module__.startswith("pydantic.") and not issubclass(given, wanted):
        return Fit.UNKNOWN  # one more name that is not the value's type
    if not (issubclass(given, wanted) or (given is int and wanted is float)):
        return Fit.NO
    inner, asked = get_args(carried), get_args(taken)
    if not asked or not inner:
        return Fit.YES
    if given is tuple and wanted is not tuple:
        # tuple[X, ...] where a Sequence[Y] is asked for.
        inner = tuple(each for each in inner if each is not Ellipsis)
        return _all(fit(each, asked[0]) for each in inner)
    if len(inner) != len(asked):
        return Fit.UNKNOWN
    return _all(Fit.YES if a is b else fit(a, b) for a, b in zip(inner, asked, strict=True))


def _plain(annotation: Any) -> Any:
    """Without what only pydantic or a reader needs: Annotated, and None for its type."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and annotation in _STAND_FOR:
        return _STAND_FOR[annotation]
    return types.NoneType if annotation is None else annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _all(found: Any) -> Fit:
    results = set(found)
    return Fit.NO if Fit.NO in results else Fit.UNKNOWN if Fit.UNKNOWN in results else Fit.YES


def _any(found: Any) -> Fit:
    results = set(found)
    return Fit.YES if Fit.YES in results else Fit.UNKNOWN if Fit.UNKNOWN in results else Fit.NO
