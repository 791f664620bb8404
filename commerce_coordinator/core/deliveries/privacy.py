"""Stored payloads for eyes without the permission: what a contract marks private is hidden, wherever it may stand."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo

from commerce_coordinator.core.telemetry.masking import MASK, mask


def hide(contract: type[BaseModel] | None, stored: Any) -> Any:
    """The stored payload without private values. What no contract explains is masked by how it looks."""
    return mask(stored) if contract is None else _hide(stored, contract)


def _hide(value: Any, annotation: Any) -> Any:
    """Walk value and annotation side by side. When in doubt, hide."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return MASK if any(_is_private(mark) for mark in marks) else _hide(value, inner)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _hide_in_model(value, annotation)
    inner = [each for each in get_args(annotation) if each is not Ellipsis]
    if isinstance(value, Mapping) and _is_mapping(annotation) and len(inner) == 2:
        return {_hide(key, inner[0]): _hide(each, inner[1]) for key, each in value.items()}
    if isinstance(value, list) and get_origin(annotation) is not None and inner and not _is_union(annotation):
        one_for_all = len(inner) == 1
        return [_hide(each, inner[0] if one_for_all else inner[n % len(inner)]) for n, each in enumerate(value)]
    # A union: nobody says which of its types this value was, so what any of them hides is hidden.
    for each in inner if _is_union(annotation) else ():
        value = _hide(value, each)
    return value if inner or not isinstance(value, (Mapping, list)) else mask(value)


def _hide_in_model(value: Any, model: type[BaseModel]) -> Any:
    if issubclass(model, RootModel):
        root = model.model_fields["root"]
        return MASK if _is_private(root) else _hide(value, Annotated[root.annotation, *root.metadata, None])
    if not isinstance(value, Mapping):
        return value  # another type of a union
    shown = {}
    for name, inner in value.items():
        field = model.model_fields.get(name)
        # A field that the contract no longer has may have been a private one: nobody can tell any more.
        unknown_or_private = field is None or _is_private(field) or any(_is_private(mark) for mark in field.metadata)
        shown[name] = MASK if unknown_or_private else _hide(inner, field.annotation if field else None)
    return shown


def _is_private(mark: Any) -> bool:
    extra = mark.json_schema_extra if isinstance(mark, FieldInfo) else None
    return isinstance(extra, dict) and bool(extra.get("private"))


def _is_mapping(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in _UNIONS


_UNIONS = (types.UnionType, Union)
