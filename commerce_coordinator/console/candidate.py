"""A map that is to be: the operator's file, read as production would read it, without touching what runs."""

import dataclasses
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from commerce_coordinator.core import filter_map
from commerce_coordinator.core.signals import routes
from commerce_coordinator.settings import operator, yaml_file
from commerce_coordinator.settings import routes as shipped


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """Both maps as they would be."""

    signal_map: routes.SignalMap
    filters: filter_map.FilterMap


class Refused(Exception):
    """The file cannot be read. The text names it, the place, and what would be right."""


def read(name: str, text: str) -> Candidate:
    """`name`: of the file, for the words. Raises Refused."""
    try:
        loaded = operator.parse(text)
    except yaml_file.Refused as refused:
        raise Refused(f"cc.{refused.number}: {name} {refused}.") from None
    merged = _as_in_production()
    try:
        operator.apply(loaded, merged)
    except ImproperlyConfigured as error:
        raise Refused(str(error).replace("COMMERCE_COORDINATOR_CFG", name)) from None
    return Candidate(
        signal_map=routes.read(merged["CC_SIGNALS"]), filters=filter_map.read(merged["OPEN_EDX_FILTERS_CONFIG"])
    )


def text_of(path: Path) -> str:
    """Raises Refused."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"cc.E033: {path} is not valid YAML (its encoding is not UTF-8).") from None


def _as_in_production() -> dict[str, Any]:
    """The settings that a file is put over: the shipped maps, and those of other installed plugins."""
    found = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    found["CC_SIGNALS"] = {**settings.CC_SIGNALS, **shipped.CC_SIGNALS}
    found["OPEN_EDX_FILTERS_CONFIG"] = {**settings.OPEN_EDX_FILTERS_CONFIG, **shipped.OPEN_EDX_FILTERS_CONFIG}
    found["database"] = lambda url: {}
    return found
