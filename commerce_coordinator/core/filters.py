"""Filters: questions that need an answer at once, asked of a pipeline of steps (`openedx-filters`).

    class OrderDetailsRequested(CoordinatorFilter):
        "What was ordered, and what does it cost?"

        filter_type = "org.edx.coordinator.fulfillment.order_details.requested.v1"

    answer = OrderDetailsRequested.ask(order_number="EDX-1")

Steps are openedx_filters.PipelineStep classes, listed in OPEN_EDX_FILTERS_CONFIG. Each gets what was asked and what
the steps before it answered, and returns a dict of what it adds; {} adds nothing. Nothing fails silently: what a step
raises goes to the asker, and a step that returns no dict is an error. The library's own runner is not used: it logs the
texts of exceptions, which may quote private values.
"""

import contextlib
import copy
import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils import timezone
from openedx_filters.tooling import OpenEdxPublicFilter

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.exceptions import StepReturnedNoDict, WrongMap
from commerce_coordinator.core.paths import short
from commerce_coordinator.core.pipelines import Pipeline, Step, path_of, resolve
from commerce_coordinator.core.signals.mistakes import mistake
from commerce_coordinator.core.telemetry.attributes import STEP
from commerce_coordinator.core.telemetry.context import span

__all__ = ["CoordinatorFilter", "StepReturnedNoDict", "defined", "every", "not_configured"]

#: Every filter ever defined, by its type; of two with one type, the later.
defined: "dict[str, type[CoordinatorFilter]]" = {}

_by_path: "dict[str, type[CoordinatorFilter]]" = {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Resolved:
    """A pipeline, and a copy of the entry that it was resolved from."""

    entry: Mapping[str, Any]
    pipeline: Pipeline


class CoordinatorFilter(OpenEdxPublicFilter):
    """A question with a pipeline of its own. `filter_type`: org.edx.coordinator.<plugin>.<subject>.<action>.v1."""

    _resolved: ClassVar[_Resolved | None] = None
    #: Set by tests, for a while.
    _instead: ClassVar[Pipeline | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._resolved = cls._instead = None
        defined[cls.filter_type] = _by_path[path_of(cls)] = cls

    @classmethod
    def ask(cls, /, **values: Any) -> dict[str, Any]:
        """What was asked and what the steps added.

        Raises what a step raises, StepReturnedNoDict, and WrongMap where the pipeline could not even start.
        """
        pipeline = cls._instead or cls._pipeline()
        paths = pipeline.paths
        answer = dict(values)
        with span(cls.filter_type, filter=cls.filter_type):
            for step in pipeline.steps:
                with _recorded(step, cls.filter_type):
                    runner = step.made_by(filter_type=cls.filter_type, running_pipeline=paths, **pipeline.extra)
                    added = runner.run_filter(**answer)
                    if not isinstance(added, dict):
                        raise StepReturnedNoDict(f"{step.path} returned no dict; {{}} adds nothing.")
                answer.update(added)
        return answer

    @classmethod
    def run_pipeline(cls, /, **kwargs: Any) -> dict[str, Any]:
        """The ecosystem's name of `ask`; its own version may swallow what a step raises."""
        return cls.ask(**kwargs)

    @classmethod
    def _pipeline(cls) -> Pipeline:
        """Resolved once, and again only when the entry is another than then."""
        entry = settings.OPEN_EDX_FILTERS_CONFIG.get(cls.filter_type)
        resolved = cls._resolved
        if resolved is not None and resolved.entry == entry:
            return resolved.pipeline
        if entry is None:
            raise WrongMap([not_configured(cls.filter_type)])
        pipeline, mistakes = resolve(cls.filter_type, entry)
        if mistakes:
            raise WrongMap(mistakes)
        # A copy: a list that grows in place would else still equal itself.
        cls._resolved = _Resolved(entry={**entry, "pipeline": copy.copy(entry["pipeline"])}, pipeline=pipeline)
        return pipeline


def every() -> "list[type[CoordinatorFilter]]":
    """Every filter ever defined, by its dotted path; two of one type are both in it."""
    return [_by_path[path] for path in sorted(_by_path)]


def not_configured(filter_type: str) -> CheckMessage:
    """The mistake of a filter without an entry in OPEN_EDX_FILTERS_CONFIG."""
    nobody = f'"{filter_type}": {{"fail_silently": False, "pipeline": []}}'
    hint = f"Add it to OPEN_EDX_FILTERS_CONFIG; {nobody} says that nobody shall answer."
    return mistake("E020", filter_type, "is not configured", hint)


@contextlib.contextmanager
def _recorded(step: Step, filter_type: str) -> Iterator[None]:
    """Run a block as one step: a span, and, inside a delivery, an entry of the attempt. No values are kept.

    The entry stands where the step began, before what it called; `inside` counts those entries.
    """
    attempt = running_attempt()
    with span(short(step.path)) as here:
        here.note({STEP: step.path})
        if attempt is None:
            yield
            return
        note: dict[str, Any] = {
            "step": step.path,
            "filter": filter_type,
            "at": timezone.now(),
            "span_id": here.span_id,
            "outcome": "failed",
        }
        attempt.calls.append(note)
        before, started = len(attempt.calls), time.perf_counter()
        try:
            yield
            note["outcome"] = "answered"
        except BaseException as error:
            note["error"] = type(error).__name__
            raise
        finally:
            note["ms"] = round((time.perf_counter() - started) * 1000, 1)
            note["inside"] = len(attempt.calls) - before
