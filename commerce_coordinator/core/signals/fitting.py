"""Does what a contract carries fit what a receiver takes? Pure functions over type annotations.

Equal types, a base class, a union that has it, `Any` or no annotation fit. So does what Python itself lets pass: an
`int` for a `float`. What neither fits nor contradicts, a type variable for one, is not known.
"""

import enum
import functools
import inspect
import types
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

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

    Among the latter are annotations that cannot be looked up; they hide none of the others.
    """
    try:
        accepted, _, _ = parameters(function)
    except (TypeError, ValueError):  # a built-in without a signature
        return [], []
    annotated = _annotated(function)
    annotations = getattr(annotated, "__annotations__", {})
    wrong, unknown = [], []
    for name in sorted(accepted & contract.model_fields.keys() & annotations.keys()):
        carried = contract.model_fields[name].annotation
        try:
            taken = _looked_up(annotated, name, annotations[name])
        except Exception as error:  # a name that exists for type checkers only, whatever it raises when looked up
            unknown.append(f"{name}: {annotations[name]}, which cannot be looked up ({type(error).__name__})")
            continue
        text = f"{name}: {shown(taken)}, where the contract carries {shown(carried)}"
        match fit(carried, taken):
            case Fit.NO:
                wrong.append(text)
            case Fit.UNKNOWN:
                unknown.append(text)
    return wrong, unknown


def _annotated(function: Any) -> Any:
    """What has the annotations of the call: of a partial its function, of a class __init__, of an object __call__."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        return function.__init__  # type: ignore[misc]
    if inspect.isroutine(function):
        return inspect.unwrap(function)
    return type(function).__call__


def _looked_up(annotated: Any, name: str, annotation: Any) -> Any:
    """One annotation by itself, so that one that fails takes no other along."""
    names = getattr(annotated, "__globals__", {})
    return get_type_hints(types.SimpleNamespace(__annotations__={name: annotation}), globalns=names, localns=names)[
        name
    ]


def fit(carried: Any, taken: Any) -> Fit:
    """May a value of the type `carried` be given where `taken` is asked for?"""
    carried, taken = _plain(carried), _plain(taken)
    if taken in (Any, object) or carried == taken:
        return Fit.YES
    if carried is Any or isinstance(carried, TypeVar) or isinstance(taken, TypeVar):
        return Fit.UNKNOWN
    if _is_union(carried):
        return _all(fit(each, taken) for each in get_args(carried))
    if get_origin(carried) is Literal:
        return _all(_value_fits(value, taken) for value in get_args(carried))
    if _is_union(taken):
        return _any(fit(carried, each) for each in get_args(taken))
    if get_origin(taken) is Literal:
        return Fit.NO
    return _classes(carried, taken)


def _value_fits(value: Any, taken: Any) -> Fit:
    if _is_union(taken):
        return _any(_value_fits(value, _plain(each)) for each in get_args(taken))
    if get_origin(taken) is Literal:
        return Fit.YES if any(value is each or value == each for each in get_args(taken)) else Fit.NO
    return fit(type(value), taken)


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
    try:
        is_one = issubclass(given, wanted) or (issubclass(given, int) and wanted is float)
    except TypeError:  # a protocol or a TypedDict, which no class can be asked about
        return Fit.UNKNOWN
    if not is_one:
        # Of pydantic's own: one more name that is not the value's type.
        return Fit.UNKNOWN if given.__module__.startswith("pydantic.") else Fit.NO
    inner, asked = get_args(carried), get_args(taken)
    if not asked or not inner:
        return Fit.YES
    if given is tuple and (wanted is not tuple or asked[-1] is Ellipsis):
        # tuple[X, ...] or tuple[X, Z] where a Sequence[Y] or a tuple[Y, ...] is asked for.
        return _all(fit(each, asked[0]) for each in inner if each is not Ellipsis)
    if len(inner) != len(asked) or Ellipsis in inner:
        return Fit.UNKNOWN
    return _all(fit(a, b) for a, b in zip(inner, asked, strict=True))


def _plain(annotation: Any) -> Any:
    """Without what only type checkers, pydantic or a reader need: Annotated, new names of types, None for its type."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # typing's since Python 3.12, typing_extensions' before
            annotation = annotation.__value__
        else:
            break
    if isinstance(annotation, type) and annotation in _STAND_FOR:
        return _STAND_FOR[annotation]
    return types.NoneType if annotation is None else annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _all(found: Iterable[Fit]) -> Fit:
    results = set(found)
    return Fit.NO if Fit.NO in results else Fit.UNKNOWN if Fit.UNKNOWN in results else Fit.YES


def _any(found: Iterable[Fit]) -> Fit:
    results = set(found)
    return Fit.YES if Fit.YES in results else Fit.UNKNOWN if Fit.UNKNOWN in results else Fit.NO
