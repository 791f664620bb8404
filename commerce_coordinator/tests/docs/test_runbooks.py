"""Each incident has a runbook, and it says what the incident's test sees on the screens and what it does."""

import re

import pytest

from commerce_coordinator.console.dead_letters import Filter
from commerce_coordinator.tests.browser.png import size
from commerce_coordinator.tests.incidents.incidents import ALL
from commerce_coordinator.tests.incidents.operator import LARGEST, WIDEST
from commerce_coordinator.tests.incidents.told import RUNBOOKS

from .pages import DOCS, Page, page

PICTURES = DOCS / "images" / "runbooks"
PLACES = re.compile(r"\.\. image:: \.\./images/runbooks/(\S+)\n   :alt: (.+)")


def runbook(name: str) -> Page:
    return page(DOCS / "runbooks" / f"{name}.rst")


def test_every_incident_has_a_runbook() -> None:
    names = {incident.name for incident in ALL}
    assert set(RUNBOOKS) == names
    assert {path.stem for path in (DOCS / "runbooks").glob("*.rst")} == {*names, "index"}
    listed = runbook("index").text.partition(".. toctree::")[2]
    assert set(re.findall(r"^   ([a-z-]+)$", listed, re.MULTILINE)) == names


@pytest.mark.parametrize("name", RUNBOOKS)
def test_words_of_the_screens_stand_in_the_runbook(name: str) -> None:
    told = " ".join(runbook(name).text.replace("``", "").split())
    for seen in RUNBOOKS[name].seen.values():
        for words in seen.words:
            assert words in told, words
    assert RUNBOOKS[name].over in told


@pytest.mark.parametrize("name", [name for name, told in RUNBOOKS.items() if told.replay])
def test_command_that_replays_stands_in_the_runbook(name: str) -> None:
    command = f"python manage.py replay {RUNBOOKS[name].replay.format(order='EDX-12345')} --why"
    assert command in runbook(name).code


def test_filters_that_a_runbook_names_are_read() -> None:
    found = [found for name in RUNBOOKS for found in re.findall(r"--filter ((?:\w+=\S+ ?)+)", runbook(name).code)]
    assert found
    for words in found:
        told = dict(each.split("=") for each in words.split())
        told.pop("receiver", None)  # some are of the site's own plugin, which is not installed here
        assert Filter.read(told)


def test_every_picture_is_shown_once_and_told_in_words() -> None:
    shown = [found for name in RUNBOOKS for found in PLACES.findall(runbook(name).text)]
    assert sorted(name for name, _ in shown) == sorted(path.name for path in PICTURES.glob("*.png"))
    taken = {
        f"{name}-{screen}{'-dark' if picture.dark else ''}.png"
        for name, told in RUNBOOKS.items()
        for screen, seen in told.seen.items()
        for picture in seen.pictures
    }
    assert {name for name, _ in shown} == taken
    assert all(len(words) > 30 for _, words in shown)


def test_pictures_are_small() -> None:
    pictures = list(PICTURES.glob("*.png"))
    assert all(size(path)[0] <= WIDEST and path.stat().st_size < LARGEST for path in pictures)
    assert sum(path.stat().st_size for path in pictures) < 2_500_000
