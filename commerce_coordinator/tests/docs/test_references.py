"""Whatever a page points at is there."""

import re
import shutil
import subprocess

import pytest

from .pages import ROOT, Page, pages


@pytest.mark.parametrize("page", pages(), ids=str)
def test_file_that_a_page_shows_or_links_exists(page: Page) -> None:
    shown = re.findall(r"\.\. (?:image|figure|literalinclude|include):: (\S+)", page.text)
    linked = [path for path in re.findall(r"`[^`<>]+ <([^<>]+)>`_", page.text) if "://" not in path]
    for path in shown + linked:
        assert (page.path.parent / path).exists(), path


@pytest.mark.parametrize("page", pages(), ids=str)
def test_page_that_is_referred_to_exists(page: Page) -> None:
    for name in re.findall(r":doc:`(?:[^`<>]+ <)?([^`<>]+)>?`", page.text):
        assert (page.path.parent / f"{name}.rst").exists(), name


@pytest.mark.parametrize("page", pages(), ids=str)
def test_path_that_is_named_exists(page: Page) -> None:
    for literal in page.literals:
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|rst|in|txt|sh|svg))", literal) and "/" in literal:
            assert (ROOT / literal).exists() or (ROOT / "commerce_coordinator" / literal).exists(), literal


@pytest.mark.parametrize("page", pages(), ids=str)
def test_code_that_is_named_exists(page: Page) -> None:
    for literal in page.literals:
        if re.fullmatch(r"commerce_coordinator(?:\.\w+)+", literal):
            parts = literal.split(".")
            # A module, or something in one.
            found = (ROOT / "/".join(parts[:end]) for end in range(len(parts), 1, -1))
            assert any(path.with_suffix(".py").exists() or path.is_dir() for path in found), literal


@pytest.mark.parametrize("page", pages(), ids=str)
def test_bash_that_is_shown_is_bash(page: Page) -> None:
    bash = shutil.which("bash")
    assert bash
    text = "\n".join(block.text for block in page.blocks if block.language == "bash")
    subprocess.run([bash, "-n", "-c", text], check=True)
