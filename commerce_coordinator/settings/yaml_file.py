"""YAML, read strictly: what YAML allows and a map of payments must not have is refused, with its place."""

from typing import Any

import yaml

#: Characters. A map of 5,000 routes has 500,000.
LONGEST = 2_000_000
#: Values, those behind an alias counted wherever it stands: ten lines of aliases can stand for a billion.
MOST_VALUES = 200_000


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
    if len(text) > LONGEST:
        raise Refused("E033", f"has more than {LONGEST:,} characters; it is no file of settings")
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None
        if _values_in(root, {}) > MOST_VALUES:
            raise Refused("E033", f"stands for more than {MOST_VALUES:,} values; use fewer aliases")
        return loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # A parser's message quotes the line, which may be a secret: only the place is told.
        if mark is None:
            raise Refused("E033", "is not valid YAML (a character that YAML does not allow)") from None
        hint = "look there for a tab, and before it for a bracket or quotation mark that stays open"
        raise Refused("E033", f"is not valid YAML ({place_of(mark)}); {hint}") from None
    except Refused:
        raise
    except (ValueError, RecursionError) as error:  # what looks like a date and is none; a list of lists of lists
        told = "a date or number that cannot be" if isinstance(error, ValueError) else "nested too deeply"
        raise Refused("E033", f"is not valid YAML ({told})") from None


def place_of(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _values_in(node: Any, known: dict[int, int | None]) -> int:
    """How many values it is when each alias is written out. `known`: by node; None while it is being counted."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = None
        below = (each for pair in node.value for each in pair) if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_values_in(each, known) for each in below)
    found = known[id(node)]
    if found is None:
        raise Refused("E033", f"has an alias inside of what it stands for ({place_of(node.start_mark)})")
    return found
