"""The README's demo answers as it says."""

import inspect
import itertools
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from commerce_coordinator.plugins.demo_lms import receivers, tasks

from .pages import Page, pages, readme

URL = re.compile(r"http://localhost:8140(/[^\s'\"<>`?]*)")


def _answers() -> list[tuple[str, Any]]:
    """(path, answer) of each curl that is followed by an answer in JSON."""
    blocks = readme().blocks
    return [
        (URL.findall(asked.text)[0], json.loads(answer.text))
        for asked, answer in itertools.pairwise(blocks)
        if "curl" in asked.text and answer.language == "json"
    ]


def _without_addresses(value: Any) -> Any:
    return json.loads(re.sub(r"0x[0-9a-f]+", "0x", json.dumps(value)))


def test_readme_shows_all_pages_of_the_demo() -> None:
    assert [path for path, _ in _answers()] == [
        "/demo_lms/test/",
        "/demo_lms/test_celery_signal/",
        "/demo_lms/demo_purchase_complete/",
        "/demo_lms/demo_get_sample_data/",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "told"), _answers())
def test_page_of_the_demo_answers_as_told(path: str, told: Any) -> None:
    answer = _without_addresses(Client().get(path).json())
    told = _without_addresses(told)
    assert list(answer) == list(told)
    for receiver, outcome in told.items():
        # A traceback is told by its first and last line.
        if isinstance(outcome, list):
            assert (answer[receiver][0], answer[receiver][-1]) == (outcome[0], outcome[-1])
        else:
            assert answer[receiver] == outcome


def test_line_of_the_log_that_is_shown_is_logged() -> None:
    shown = re.findall(r"^ *(?:web|worker) +\| \.\.\. \[info +\] (.+?) \.\.\.", readme().text, re.MULTILINE)
    assert len(shown) == 8
    logged = inspect.getsource(receivers) + inspect.getsource(tasks)
    for sentence in shown:
        assert f'"{sentence}"' in logged


@pytest.mark.parametrize("page", pages(), ids=str)
def test_address_that_is_named_exists(page: Page) -> None:
    paths = URL.findall(page.text) + [each for each in page.literals if re.fullmatch(r"/[a-z_/]+/", each)]
    for path in paths:
        if not path.startswith("/bookshop/"):  # the example plugin has tests of its own
            resolve(path)


def test_readme_is_valid_restructured_text() -> None:
    core = pytest.importorskip("docutils.core", reason="docutils comes with `make docs`")
    core.publish_string(
        readme().text,
        source_path=str(readme().path),
        writer="html5",
        settings_overrides={"report_level": 2, "halt_level": 2, "_disable_config": True},
    )
