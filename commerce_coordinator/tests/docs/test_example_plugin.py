"""The plugin of docs/plugins.rst works as it is printed there: installed as an app, in a process of its own."""

import re
from pathlib import Path

from commerce_coordinator.core import testing

from .examples import files, installed, printed, run
from .pages import DOCS, ROOT, page

EXAMPLE = DOCS / "example_plugin"


def test_example_plugin_passes_its_own_tests(tmp_path: Path) -> None:
    # Among them: its webhook is posted to, its signal sent, and its delivery run by core/testing.
    output = run("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=tmp_path, cwd=EXAMPLE)
    tests = (EXAMPLE / "bookshop" / "tests" / "test_bookshop.py").read_text(encoding="utf-8").count("\ndef test_")
    assert f"{tests} passed" in output


def test_installed_package_is_found_and_routed_as_printed(tmp_path: Path) -> None:
    path = installed(EXAMPLE, tmp_path / "site")
    # With the local settings, which know nothing of it: its own default routes are appended to the map.
    for settings in ("commerce_coordinator.settings.local", "bookshop_settings"):
        command = ("manage.py", "routes", f"--settings={settings}")
        output = run(*command, folder=tmp_path / "data", cwd=ROOT, PYTHONPATH=path)
        # The signals' part and the filters' part: other plugins' stand between them.
        for part in (EXAMPLE / "routes.txt").read_text(encoding="utf-8").split("\n\n"):
            assert part.strip() in output


def test_example_plugin_lets_nobody_in_without_a_secret(tmp_path: Path) -> None:
    code = (
        "from django.test import Client;"
        "answer = Client().post('/bookshop/webhook/', b'{}', content_type='application/json');"
        "print(answer.status_code, answer.json()['error']['code'])"
    )
    output = run(
        *("manage.py", "shell", "--settings=bookshop_settings", "-v0", "-c", code),
        folder=tmp_path,
        cwd=ROOT,
        PYTHONPATH=str(EXAMPLE),
        BOOKSHOP_SECRET="",
    )
    assert output.strip().endswith("404 not_set_up")


def test_every_file_of_the_example_is_printed() -> None:
    assert files(EXAMPLE) == printed(DOCS / "plugins.rst", EXAMPLE)


def test_every_help_for_tests_is_told() -> None:
    told = set(re.findall(r"(\w+)\(", "\n".join(page(DOCS / "plugins.rst").literals)))
    assert set(testing.__all__) <= told
