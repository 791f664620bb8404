"""The words of the project, and no others for the same things."""

import re

import pytest

from .pages import DOCS, Page, page, pages

WORDS = [
    "event",
    "inbox",
    "signal",
    "payload",
    "receiver",
    "route",
    "dispatch",
    "delivery",
    "attempt",
    "dead letter",
    "replay",
    "relay",
    "trace",
    "span",
    "plugin",
    "message",
]

NOT_USED = re.compile(r"\b(?:handler|listener|hook|callback|job)s?\b", re.IGNORECASE)


def test_glossary_has_every_word_in_order() -> None:
    glossary = page(DOCS / "glossary.rst").text
    assert re.findall(r"^ {3}(\S.*)$", glossary, re.MULTILINE)[: len(WORDS)] == WORDS


@pytest.mark.parametrize("page", pages(), ids=str)
def test_words_that_mean_too_much_are_not_used(page: Page) -> None:
    assert not NOT_USED.findall(page.prose)
