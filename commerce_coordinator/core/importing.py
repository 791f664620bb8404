"""What a dotted path of the settings names, or why it names nothing. Mistakes are collected, so nothing is raised."""

import dataclasses
from typing import Any

from django.utils.module_loading import import_string


@dataclasses.dataclass(frozen=True)
class Missing:
    """The path names nothing. `reason` says why, in words for whoever wrote the path."""

    reason: str


def named_by(path: Any) -> Any:
    """What the dotted path names, or Missing."""
    if not isinstance(path, str) or "." not in path:
        return Missing("it is no dotted path")
    try:
        return import_string(path)
    except ImportError as error:
        return Missing(str(error))
    except Exception as error:  # the plugin's own module fails while it is imported
        return Missing(f"importing it raised {type(error).__name__}: {error}")
