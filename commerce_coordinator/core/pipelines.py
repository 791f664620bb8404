"""One filter's entry in OPEN_EDX_FILTERS_CONFIG: resolved to steps that can run, or its mistakes."""

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage
from openedx_filters import PipelineStep

from commerce_coordinator.core.importing import Missing, named_by
from commerce_coordinator.core.signals.guessing import did_you_mean, names_beside
from commerce_coordinator.core.signals.mistakes import mistake

_OURS = frozenset({"fail_silently", "pipeline"})
#: What a step is made with (openedx_filters.PipelineStep.__init__), beside the entry's further keys.
_TAKEN = frozenset({"self", "filter_type", "running_pipeline"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A step as it was configured (`path`) and as it was found."""

    path: str
    made_by: type[PipelineStep]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The steps of a filter, in order. `extra`: the entry's further keys, which each step gets when it is made."""

    filter_type: str
    steps: tuple[Step, ...] = ()
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        return [step.path for step in self.steps]


def resolve(filter_type: str, configured: Any, *, classes: bool = False) -> tuple[Pipeline, list[CheckMessage]]:
    """The pipeline as far as it resolves, and every mistake.

    classes: a step may be given as a class instead of its path; for tests.
    """
    if not isinstance(configured, Mapping):
        return Pipeline(filter_type=filter_type), [_misshapen(filter_type, "is not mapped to a mapping")]
    mistakes: list[CheckMessage] = []
    if configured.get("fail_silently") is not False:
        # The library takes an absent one for True, and then goes on without the step that failed.
        hint = 'Set "fail_silently": False; an absent one means True to openedx-filters.'
        mistakes.append(mistake("E021", filter_type, "does not say that it fails aloud", hint))
    extra = {key: value for key, value in configured.items() if key not in _OURS}
    if not all(isinstance(key, str) for key in extra) or _TAKEN & extra.keys():
        mistakes.append(_misshapen(filter_type, "has a key that no step can be given"))
        extra = {}
    given = configured.get("pipeline")
    if not isinstance(given, (list, tuple)) or not all(_names_a_step(each, classes) for each in given):
        return Pipeline(filter_type=filter_type), [*mistakes, _misshapen(filter_type, "has no list of steps' paths")]
    steps = _steps(filter_type, given, mistakes)
    return Pipeline(filter_type=filter_type, steps=tuple(steps), extra=extra), mistakes


def path_of(step: type) -> str:
    return f"{step.__module__}.{step.__qualname__}"


def _misshapen(filter_type: object, problem: str) -> CheckMessage:
    hint = 'Map it to {"fail_silently": False, "pipeline": [<dotted paths of steps>]}; [] for no step.'
    return mistake("E022", filter_type, problem, hint)


def _names_a_step(given: Any, classes: bool) -> bool:
    return isinstance(given, str) or (classes and isinstance(given, type))


def _steps(filter_type: str, given: Sequence[str | type], mistakes: list[CheckMessage]) -> list[Step]:
    """The steps that resolve; each once, under whatever paths it is listed."""
    steps: dict[type, Step] = {}
    twice: set[str] = set()
    for each in dict.fromkeys(given):
        path = each if isinstance(each, str) else path_of(each)
        found = named_by(each) if isinstance(each, str) else each
        wrong = _wrong_with(filter_type, path, found)
        if wrong is not None:
            mistakes.append(wrong)
        elif found in steps:
            twice.add(steps[found].path)
        else:
            steps[found] = Step(path=path, made_by=found)
    twice |= {each if isinstance(each, str) else path_of(each) for each in given if given.count(each) > 1}
    mistakes.extend(
        mistake("E018", path, f"is listed twice for {filter_type}", "List each step once per filter.")
        for path in sorted(twice)
    )
    return list(steps.values())


def _is_step(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, PipelineStep)


def _wrong_with(filter_type: str, path: str, found: Any) -> CheckMessage | None:
    if isinstance(found, Missing):
        problem = f"of {filter_type} does not resolve: {found.reason}"
        hint = "Correct the step's dotted path." + did_you_mean(path, names_beside(path, _is_step))
        return mistake("E015", path, problem, hint)
    if not _is_step(found):
        return mistake("E016", path, f"of {filter_type} is no PipelineStep", "Derive it from PipelineStep.")
    run = inspect.getattr_static(found, "run_filter")
    if not callable(run) or run is PipelineStep.run_filter or inspect.isabstract(found):
        return mistake("E017", path, "has no run_filter of its own", "Define run_filter, which returns a dict.")
    if inspect.iscoroutinefunction(run) or inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run):
        problem = "has a run_filter that answers later"
        return mistake("E017", path, problem, "Write it as a plain function that returns a dict.")
    return None
