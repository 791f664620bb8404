"""The accessibility tree that Chromium gives to a screen reader, as lines that a test can read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

#: Roles that only hold others together, and the parts of a line of text.
_SILENT = {"none", "generic", "InlineTextBox", "RootWebArea", "LineBreak", "LayoutTableRow", "ListMarker"}

#: Properties that are said aloud, and how; others are left out.
_FLAGS = ("focused", "disabled", "required", "expanded", "checked", "selected", "pressed", "invalid")


def outline(nodes: Sequence[Mapping[str, Any]]) -> str:
    """A line `role "name" (state, ...)` per element, indented by two spaces for each that it lies in."""
    by_id = {node["nodeId"]: node for node in nodes}
    return "\n".join(_lines(nodes[0], by_id, 0)) if nodes else ""


def _lines(node: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]], depth: int) -> Iterator[str]:
    role = node.get("role", {}).get("value", "")
    name = node.get("name", {}).get("value", "").strip()
    told = not node.get("ignored") and role not in _SILENT and (role != "StaticText" or bool(name))
    if told:
        states = ", ".join(_states(node))
        yield "  " * depth + role + (f' "{name}"' if name else "") + (f" ({states})" if states else "")
    children = [by_id[key] for key in node.get("childIds", ()) if key in by_id]
    # A link or heading that consists of its name alone is told once.
    if told and len(children) == 1 and children[0].get("name", {}).get("value", "").strip() == name:
        children = [] if children[0].get("role", {}).get("value") == "StaticText" else children
    for child in children:
        yield from _lines(child, by_id, depth + told)


def _states(node: Mapping[str, Any]) -> Iterator[str]:
    values = {each["name"]: each["value"].get("value") for each in node.get("properties", ())}
    if "level" in values:
        yield f"level {values['level']}"
    for name in _FLAGS:
        value = values.get(name)
        if value in (True, "true"):
            yield name
        elif name == "expanded" and value is False:
            yield "collapsed"
    if text := node.get("description", {}).get("value", "").strip():
        yield f'described as "{text}"'
