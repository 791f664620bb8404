"""docs/settings.rst has every variable that the settings read, with its default."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from commerce_coordinator.core.deliveries.retry import JITTER, max_attempts

from .pages import DOCS, ROOT, page

PACKAGE = ROOT / "commerce_coordinator"
PAGE = page(DOCS / "settings.rst")
TOLD = {row[0].strip("`"): row[1] for row in PAGE.rows(columns=3) if row[0].startswith("``")}

_NO_CONSTANT = object()


def _read(module: str) -> Iterator[tuple[str, Any]]:
    """(name, default) of each variable that a settings module reads from the environment."""
    tree = ast.parse((PACKAGE / "settings" / f"{module}.py").read_text(encoding="utf-8"))
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
            continue
        source, name = ast.unparse(call.func.value), call.args[0]
        if source in {"env", "os.environ"} and isinstance(name, ast.Constant):
            try:
                default = ast.literal_eval(call.args[1])
            except (IndexError, ValueError):
                default = _NO_CONSTANT
            yield name.value, default


def _as_told(default: Any) -> str:
    if isinstance(default, list):
        return ",".join(map(str, default))
    return "" if default in ("", {}) else str(default)


MODULES = [path.stem for path in sorted((PACKAGE / "settings").glob("*.py"))]
READ = {name for module in MODULES for name, _ in _read(module)}


def test_table_was_understood() -> None:
    assert len(TOLD) > 30


@pytest.mark.parametrize("name", sorted(READ))
def test_variable_that_is_read_is_told(name: str) -> None:
    assert name in TOLD


@pytest.mark.parametrize("name", sorted(set(TOLD) - READ))
def test_variable_that_is_told_is_read_somewhere(name: str) -> None:
    sources = (path for path in PACKAGE.rglob("*.py") if "docs" not in path.parts)
    assert any(f'"{name}"' in path.read_text(encoding="utf-8") for path in sources)


@pytest.mark.parametrize("module", ["production", "base"])
def test_default_is_as_told(module: str) -> None:
    # base gives production's defaults too; what local sets otherwise, the page tells in words.
    for name, default in _read(module):
        if default is _NO_CONSTANT:
            continue
        assert TOLD[name] == _as_told(default), name


def test_schedule_is_as_told() -> None:
    operating = (DOCS / "operating.rst").read_text(encoding="utf-8")
    hours = sum(settings.CC_RETRY_SCHEDULE) / 3600
    assert max_attempts(settings.CC_RETRY_SCHEDULE) == 9
    assert "Nine attempts." in operating
    assert f"{hours:.1f} to {hours * (1 + JITTER):.1f} hours" in operating
