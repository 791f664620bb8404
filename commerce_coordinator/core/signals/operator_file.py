"""The present maps as the operator's file, ready to edit: each signal with its documentation as a comment."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

import yaml

from commerce_coordinator.core.deliveries.dispatch import Route
from commerce_coordinator.core.pipelines import Pipeline

from . import documentation, registry

WIDTH = 110


def lines(routes: Mapping[str, Sequence[Route]], pipelines: Mapping[str, Pipeline]) -> Iterator[str]:
    """The file's text, line by line. What it does not name stays as it is shipped."""
    yield "# The map of signals: which receivers get which signal. [] says that nobody shall."
    yield "CC_SIGNALS:"
    known = registry.by_name()
    for name, each in routes.items():
        yield from _comment(documentation.of_signal(known[name]) if name in known else "")
        yield from _entry(name, [route.receiver for route in each])
    yield ""
    yield "# Who answers which filter, in this order."
    yield "OPEN_EDX_FILTERS_CONFIG:"
    for filter_type, pipeline in pipelines.items():
        yield f"  {filter_type}:"
        for key, value in {"fail_silently": False, **pipeline.extra}.items():
            yield f"    {key}: {_plain(value)}"
        if pipeline.paths:
            yield "    pipeline:"
            yield from (f"      - {path}" for path in pipeline.paths)
        else:
            yield "    pipeline: []"


def _entry(name: str, receivers: list[str]) -> Iterator[str]:
    yield f"  {name}:" if receivers else f"  {name}: []"
    yield from (f"    - {path}" for path in receivers)


def _comment(text: str) -> Iterator[str]:
    yield from (f"  # {line}" for line in textwrap.wrap(text, WIDTH))


def _plain(value: object) -> str:
    """One value in YAML's flow style, in one line."""
    written: str = yaml.safe_dump(value, default_flow_style=True, width=10**6)
    return written.removesuffix("...\n").strip()
