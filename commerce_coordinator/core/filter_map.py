"""OPEN_EDX_FILTERS_CONFIG: read against the filters that are defined. All mistakes are collected."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage

from commerce_coordinator.core import filters
from commerce_coordinator.core.pipelines import Pipeline, path_of, resolve
from commerce_coordinator.core.signals.guessing import did_you_mean
from commerce_coordinator.core.signals.mistakes import mistake

#: org.edx.coordinator.<plugin>.<subject>.<action>.v1, in the manner of Open edX's filter types.
TYPE = re.compile(r"org\.edx\.coordinator\.(?P<plugin>[a-z0-9_]+)\.[a-z0-9_]+\.[a-z0-9_]+\.v[1-9][0-9]*")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterMap:
    """The configuration as it was understood: the pipelines, as far as they resolve, and every mistake."""

    pipelines: Mapping[str, Pipeline]
    mistakes: list[CheckMessage]


def read(configured: Any = None, *, complete: bool = True, classes: bool = False) -> FilterMap:
    """Resolve a configuration (OPEN_EDX_FILTERS_CONFIG when none is given). Changes nothing.

    complete: every defined filter must be in it; False for a part of one. classes: see `resolve`.
    """
    configured = settings.OPEN_EDX_FILTERS_CONFIG if configured is None else configured
    mistakes: list[CheckMessage] = []
    pipelines: dict[str, Pipeline] = {}
    if not isinstance(configured, Mapping):
        hint = "Map each filter's type to its pipeline."
        mistakes.append(mistake("E022", "OPEN_EDX_FILTERS_CONFIG", "is no mapping", hint))
        configured, complete = {}, False  # that every filter is missing too goes without saying
    for filter_type, entry in configured.items():
        pipeline, wrong = resolve(filter_type, entry, classes=classes)
        mistakes.extend(wrong)
        if filter_type in filters.defined:
            pipelines[filter_type] = pipeline
        else:
            hint = "Correct the filter's type, or remove its pipeline: no filter of an installed app has this type."
            hint += did_you_mean(filter_type, filters.defined)
            mistakes.append(mistake("E019", filter_type, "is a pipeline that nobody runs", hint))
    if complete:
        every = filters.every()
        mistakes.extend(_not_configured(configured))
        mistakes.extend(_wrong_names(every))
        mistakes.extend(_same_types(every))
    return FilterMap(pipelines=pipelines, mistakes=mistakes)


def _not_configured(configured: Mapping[Any, Any]) -> Iterable[CheckMessage]:
    return [
        filters.not_configured(filter_type) for filter_type in sorted(filters.defined) if filter_type not in configured
    ]


def _wrong_names(every: Iterable[type[filters.CoordinatorFilter]]) -> Iterable[CheckMessage]:
    for each in every:
        found = TYPE.fullmatch(each.filter_type)
        app = apps.get_containing_app_config(each.__module__)
        label = app.label if app else None
        if found is None:
            hint = f"Call it org.edx.coordinator.{label or '<plugin>'}.<subject>.<action>.v1, in small letters."
            yield mistake("E023", path_of(each), f"has the type {each.filter_type!r}", hint)
        elif label is None:
            problem = f"defines {each.filter_type}, but is in no installed app"
            yield mistake("E023", path_of(each), problem, "Move it into the module filters of an installed app.")
        elif found["plugin"] != label:
            problem = f"has the type {each.filter_type}, which names another app than its own, {label}"
            yield mistake("E023", path_of(each), problem, f"Begin its type with org.edx.coordinator.{label}.")


def _same_types(every: Iterable[type[filters.CoordinatorFilter]]) -> Iterable[CheckMessage]:
    by_type: dict[str, list[str]] = {}
    for each in every:
        by_type.setdefault(each.filter_type, []).append(path_of(each))
    return [
        mistake("E024", " and ".join(paths), f"have one type, {filter_type}", "Give each filter a type of its own.")
        for filter_type, paths in by_type.items()
        if len(paths) > 1
    ]
