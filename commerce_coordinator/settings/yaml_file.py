"""YAML, read strictly: what YAML allows and a map of payments must not have is refused, with its place."""

from typing import Any

import yaml


class Refused(ValueError):
    """`number`: that of the mistake (docs/mistakes.rst). The text names the place, and no value."""

    def __init__(self, number: str, text: str) -> None:
        super().__init__(text)
        self.number = number


class _Loader(yaml.SafeLoader):
    """Each key once, and no tags: PyYAML lets the last of two keys win without a word."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise Refused(
                "E029", f"has the tag {tag} ({place_of(event.start_mark)}); write plain texts, lists and maps"
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                raise Refused(
                    "E028", f"has the key {key} twice ({place_of(key_node.start_mark)}); only one would count"
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def load(text: str) -> Any:
    """What the text says. Raises Refused."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # A parser's message quotes the line, which may be a secret: only the place is told.
        told = place_of(mark) if mark else "a character that YAML does not allow"
        raise Refused("E033", f"is not valid YAML ({told})") from None
    except Refused:
        raise
    except (ValueError, RecursionError) as error:  # what looks like a date and is none; a list of lists of lists
        told = "a date that no calendar has" if isinstance(error, ValueError) else "nested too deeply"
        raise Refused("E033", f"is not valid YAML ({told})") from None


def place_of(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"
