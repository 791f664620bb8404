"""`manage.py routes`: the present maps as a tree, as a graph, and as the operator's file."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as present

from commerce_coordinator.core.signals.tests.plugin_of_a_test import shipped_signals_only
from commerce_coordinator.settings import operator, routes

from .typed import Typed

PLUGINS = "commerce_coordinator.plugins"
PAYPAL_CAPTURED = f"{PLUGINS}.paypal.signals.payment_captured"
PLACE_ORDER = f"{PLUGINS}.fulfillment.tasks.place_order"

pytestmark = pytest.mark.needs_plugins(
    "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
)


@pytest.fixture(autouse=True)
def shipped(settings: Any) -> Any:
    """The shipped maps are the present ones, without the demo's additions; other tests' signals are away."""
    settings.CC_SIGNALS = {**present.CC_SIGNALS, **routes.CC_SIGNALS}
    settings.OPEN_EDX_FILTERS_CONFIG = {**present.OPEN_EDX_FILTERS_CONFIG, **routes.OPEN_EDX_FILTERS_CONFIG}
    with shipped_signals_only():
        yield


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "candidate.yml"


def test_map_as_a_file_is_the_map(file: Path) -> None:
    shown = Typed("routes", "--yaml")
    assert shown.failure == ""
    assert operator.parse(shown.out) == {
        "CC_SIGNALS": present.CC_SIGNALS,
        "OPEN_EDX_FILTERS_CONFIG": present.OPEN_EDX_FILTERS_CONFIG,
    }
    assert yaml.safe_load(shown.out)
    file.write_text(shown.out)
    assert Typed("routes", "--config", str(file)).out == "The maps would stay as they are.\n"


def test_file_documents_each_signal_in_lines_that_fit() -> None:
    lines = Typed("routes", "--yaml").out.splitlines()
    place = lines.index(f"  {PAYPAL_CAPTURED}:")
    assert lines[place - 1].startswith("  # ")
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(("language", "first", "last"), [("mermaid", "flowchart LR", ""), ("dot", "digraph", "}")])
def test_map_as_a_graph(language: str, first: str, last: str) -> None:
    lines = Typed("routes", "--format", language).out.splitlines()
    assert lines[0].startswith(first)
    assert lines[-1].endswith(last)
    s, r = f"s_{PAYPAL_CAPTURED}".replace(".", "_"), f"r_{PLACE_ORDER}".replace(".", "_")
    arrow = "-->" if language == "mermaid" else "->"
    assert [line.strip(" ;") for line in lines].count(f"{s} {arrow} {r}") == 1
    placed = f"s_{PLUGINS}.fulfillment.signals.order_placed".replace(".", "_")
    assert f"{r} {arrow} {placed}" in [line.strip(" ;") for line in lines]


@pytest.mark.parametrize("other", [("--yaml",), ("--format", "dot")])
def test_what_goes_with_nothing_else_says_so(other: tuple[str, ...]) -> None:
    assert Typed("routes", "--json", *other).failure == "--json goes with --config or alone."
