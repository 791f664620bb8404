"""The plugin of docs/plugins.rst works as it is printed there: installed as an app, in a process of its own."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from commerce_coordinator.core import testing

from .pages import DOCS, ROOT, page

EXAMPLE = DOCS / "example_plugin"


def _run(*command: str, folder: Path, cwd: Path, **env: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "CC_"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**inherited, "CC_DATA": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_example_plugin_passes_its_own_tests(tmp_path: Path) -> None:
    # Among them: its webhook is posted to, its signal sent, and its delivery run by core/testing.py.
    output = _run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path, cwd=EXAMPLE)
    tests = (EXAMPLE / "bookshop" / "tests" / "test_bookshop.py").read_text(encoding="utf-8").count("\ndef test_")
    assert f"{tests} passed" in output


def test_installed_package_is_found_and_routed_as_printed(tmp_path: Path) -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((group, entries),) = project["entry-points"].items()
    info = tmp_path / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    lines = [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    path = os.pathsep.join([str(EXAMPLE), str(tmp_path / "site")])
    # With the local settings, which know nothing of it: its own default routes are appended to the map.
    for settings in ("commerce_coordinator.settings.local", "bookshop_settings"):
        command = ("manage.py", "routes", f"--settings={settings}")
        output = _run(*command, folder=tmp_path / "data", cwd=ROOT, PYTHONPATH=path)
        # The signals' part and the filters' part: other plugins' stand between them.
        for part in (EXAMPLE / "routes.txt").read_text(encoding="utf-8").split("\n\n"):
            assert part.strip() in output


def test_example_plugin_lets_nobody_in_without_a_secret(tmp_path: Path) -> None:
    code = (
        "from django.test import Client;"
        "answer = Client().post('/bookshop/webhook/', b'{}', content_type='application/json');"
        "print(answer.status_code, answer.json()['error']['code'])"
    )
    output = _run(
        *("manage.py", "shell", "--settings=bookshop_settings", "-v0", "-c", code),
        folder=tmp_path,
        cwd=ROOT,
        PYTHONPATH=str(EXAMPLE),
        BOOKSHOP_SECRET="",
    )
    assert output.strip().endswith("404 not_set_up")


def test_every_file_of_the_example_is_printed() -> None:
    printed = set(re.findall(r"literalinclude:: example_plugin/(\S+)", page(DOCS / "plugins.rst").text))
    files = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*.*") if "__pycache__" not in path.parts}
    assert {name for name in files if not name.endswith("__init__.py") and ".pytest_cache" not in name} == printed


def test_every_help_for_tests_is_told() -> None:
    told = set(re.findall(r"(\w+)\(", "\n".join(page(DOCS / "plugins.rst").literals)))
    assert set(testing.__all__) <= told
