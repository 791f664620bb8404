"""The fields of a contract, in words: out of its JSON Schema. Pure functions."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

#: How the formats of texts are called, and where none is named here, as the schema calls them.
_FORMATS = {"date-time": "date and time", "email": "e-mail address"}
_TYPES = {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null", "object": "map"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContractField:
    """private: "yes", "in part" where something inside of it is, or "no"."""

    name: str
    type: str
    is_required: bool
    private: str


def fields_of(schema: Schema) -> list[ContractField]:
    """In the order of the contract."""
    required, parts = schema.get("required", ()), schema.get("$defs", {})
    return [
        ContractField(
            name=name,
            type=type_of(field),
            is_required=name in required,
            private="yes" if field.get("private") else "in part" if _has_private(field, parts, ()) else "no",
        )
        for name, field in schema.get("properties", {}).items()
    ]


def type_of(schema: Schema) -> str:
    """`text`, `list of OrderLine`, `Money or null`: for readers; the schema itself is exact."""
    if "$ref" in schema:
        return _named(schema["$ref"])
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(type_of(each) for each in alternatives))
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return " or ".join(f"“{each}”" if isinstance(each, str) else str(each) for each in values)
    match schema.get("type"):
        case "array":
            return f"list of {type_of(schema['items'])}" if schema.get("items") else "list"
        case "object" if isinstance(values := schema.get("additionalProperties"), Mapping):
            return f"map of {type_of(values)}"
        case "string" if "format" in schema:
            return _FORMATS.get(schema["format"], str(schema["format"]))
        case None:
            return "anything"
        case kind:
            return _TYPES.get(str(kind), str(kind))


def _named(reference: str) -> str:
    return reference.rpartition("/")[2]


def _has_private(schema: Any, parts: Schema, above: Sequence[str]) -> bool:
    """Is anything private inside of it? A part may hold itself."""
    if isinstance(schema, list):
        return any(_has_private(each, parts, above) for each in schema)
    if not isinstance(schema, Mapping):
        return False
    if schema.get("private") is True:
        return True
    if "$ref" in schema:
        name = _named(schema["$ref"])
        return name not in above and _has_private(parts.get(name), parts, (*above, name))
    return any(_has_private(each, parts, above) for key, each in schema.items() if key != "$defs")
