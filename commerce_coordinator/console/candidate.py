"""A file that is to become the operator's: read and judged as production would, without touching what runs.

The settings of this process, a command's, are replaced for as long as the checks take: so whatever a check reads, the
lease or the origins or a plugin's own settings, it reads from the file.
"""

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test.utils import override_settings

from commerce_coordinator.core import filter_map
from commerce_coordinator.core.signals import differences, routes
from commerce_coordinator.core.signals.checks import check_map
from commerce_coordinator.settings import operator, yaml_file
from commerce_coordinator.settings.derived import derive

from . import reading
from .reading import shown_name

#: Django's own, which no check of ours reads, and which cannot be replaced in a process that has begun.
_FIXED = frozenset({"DATABASES", "INSTALLED_APPS", "LOGGING"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mistake:
    """`id`: that of the check, "" for what production demands beside the maps."""

    id: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return (f"{self.id}: " if self.id else "") + self.text + (f"\n    HINT: {self.hint}" if self.hint else "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is wrong with the file, what may be, and, where nothing is wrong, what it would change."""

    mistakes: Sequence[Mistake] = ()
    doubts: Sequence[Mistake] = ()
    signals: Sequence[differences.Change] = ()
    filters: Sequence[differences.FilterChange] = ()


def judge(path: str) -> Judgement:
    """Of a file, or of the standard input (`-`)."""
    name = shown_name(path)
    try:
        loaded = operator.parse(reading.text_of(path))
    except OSError as error:
        return _wrong(f"{name} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        return _wrong(f"{name} {operator.NOT_UTF_8}.", id="cc.E033")
    except yaml_file.Refused as refused:
        return _wrong(f"{name} {refused}.", id=f"cc.{refused.number}")
    merged, is_production = _without_file()
    try:
        operator.apply(loaded, merged)
    except ImproperlyConfigured as error:
        return _wrong(str(error).replace("COMMERCE_COORDINATOR_CFG", name))
    if list(merged["INSTALLED_APPS"]) != list(settings.INSTALLED_APPS):
        hint = f"A process of its own can: COMMERCE_COORDINATOR_CFG={path} manage.py check, with production's settings."
        return _wrong(f"{name} has other INSTALLED_APPS than this process, which cannot try them.", hint=hint)
    derive(merged)
    demanded = [Mistake(id="", text=each) for each in (operator.complaints(merged) if is_production else ())]
    with override_settings(**_changed(merged)):
        # What production demands would make other checks fail, or say the same once more.
        messages = check_map() if demanded else run_checks()
        signal_map, filters = routes.read(), filter_map.read()
    doubts = [_mistake(each) for each in messages if each.level < ERROR and not each.is_silenced()]
    if mistakes := [
        *demanded,
        *(_mistake(each) for each in messages if each.level >= ERROR and not each.is_silenced()),
    ]:
        return Judgement(mistakes=mistakes, doubts=doubts)
    return Judgement(
        doubts=doubts,
        signals=differences.changes(routes.read().routes, signal_map.routes),
        filters=differences.filter_changes(filter_map.read().pipelines, filters.pipelines),
    )


def as_dict(judgement: Judgement) -> dict[str, Any]:
    """For programs."""
    return {
        "starts": not judgement.mistakes,
        "mistakes": [dataclasses.asdict(each) for each in judgement.mistakes],
        "doubts": [dataclasses.asdict(each) for each in judgement.doubts],
        "signals": [
            {**dataclasses.asdict(each), "words": list(differences.in_words(each))} for each in judgement.signals
        ],
        "filters": [
            {**dataclasses.asdict(each), "words": list(differences.filter_in_words(each))} for each in judgement.filters
        ],
    }


def in_words(judgement: Judgement) -> Iterator[str]:
    """Lines for people: what it would change. Nothing where it would not start."""
    if judgement.mistakes:
        return
    for change in judgement.signals:
        yield from differences.in_words(change)
    for filter_change in judgement.filters:
        yield from differences.filter_in_words(filter_change)
    count = len(judgement.signals) + len(judgement.filters)
    yield f"{count} of the map's entries would change." if count else "The maps would stay as they are."


def _without_file() -> tuple[dict[str, Any], bool]:
    """(the settings that a file is put over, whether production reads them so).

    Production's module keeps them: the present file is not in them, the routes of other packages' plugins are. Other
    settings read no file; then the present ones stand for them.
    """
    kept: Mapping[str, Any] | None = getattr(sys.modules.get(settings.SETTINGS_MODULE), "without_file", None)
    if kept is not None:
        return dict(kept), True
    found = {name: getattr(settings, name) for name in dir(settings) if name.isupper()}
    return {**found, "database": lambda url: {}}, False


def _changed(merged: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in merged.items()
        if name.isupper() and name not in _FIXED and not _is_same(value, getattr(settings, name, _is_same))
    }


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and one == other)


def _mistake(message: CheckMessage) -> Mistake:
    return Mistake(id=message.id or "", text=str(message.msg), hint=str(message.hint or ""))


def _wrong(text: str, *, id: str = "", hint: str = "") -> Judgement:
    return Judgement(mistakes=[Mistake(id=id, text=text, hint=hint)])
