"""Every command that the README or a page names is there, with the options that it is given."""

import re

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from .pages import ROOT, Page, pages

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z]+) *\??=", MAKEFILE, re.MULTILINE))

MANAGE = re.compile(r"manage\.py ([a-z_]+)((?: [^\s|()`]+)*)")


def _command(name: str) -> BaseCommand:
    app = get_commands()[name]
    return load_command_class(app, name) if isinstance(app, str) else app


def _manage_commands() -> set[str]:
    return {name for page in pages() for name, _ in MANAGE.findall(page.code)}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_make_target_that_is_named_exists(page: Page) -> None:
    for line in page.code.splitlines():
        named = re.match(r"(?:\$ )?make ([a-z-]+)((?: [A-Z]+=\S*)*)", line.strip())
        if named:
            assert named[1] in TARGETS, line
            assert set(re.findall(r"([A-Z]+)=", named[2])) <= VARIABLES, line


def test_both_commands_of_a_new_user_are_named_first() -> None:
    assert pages()[0].blocks[0].text.split()[:2] == ["make", "run"]
    assert "\nmake test " in pages()[0].blocks[0].text


@pytest.mark.parametrize("name", sorted(_manage_commands()))
def test_manage_command_that_is_named_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert name in get_commands()
    with pytest.raises(SystemExit) as done:
        _command(name).create_parser("manage.py", name).parse_args(["--help"])
    assert done.value.code == 0
    assert f"manage.py {name}" in capsys.readouterr().out


@pytest.mark.parametrize("page", pages(), ids=str)
def test_option_that_a_command_is_given_exists(page: Page) -> None:
    for name, arguments in MANAGE.findall(page.code):
        parser = _command(name).create_parser("manage.py", name)
        for option in re.findall(r"(?<=\s)--[a-z-]+", arguments):
            assert option in parser._option_string_actions, f"manage.py {name} {option}"


def test_every_command_of_the_console_is_explained() -> None:
    ours = {name for name, app in get_commands().items() if app == "commerce_coordinator.console"}
    operating = next(page for page in pages() if page.path.name == "operating.rst")
    assert ours <= {name for name, _ in MANAGE.findall(operating.code)}
