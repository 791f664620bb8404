"""Translations: complete, compiled from what is written, and about nothing else than what the mails say."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils.translation.template import templatize

from .. import languages, mails, samples

ROOT = languages.OWN.parent
CATALOGUES = sorted(languages.OWN.glob("*/LC_MESSAGES/django.po"))
#: (context, text) as gettext keys them.
Key = tuple[str, str]


def read_po(path: Path) -> dict[Key, str]:
    """Text by key, of a catalogue without plurals and without obsolete or fuzzy entries: ours have none."""
    found: dict[Key, str] = {}
    entry: dict[str, str] = {}
    field = ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        assert "fuzzy" not in line, f"{path}: a fuzzy entry is not used. Look at it, and remove the mark."
        assert not line.startswith("#~"), f"{path}: an obsolete entry. Remove it."
        start = re.match(r"(msgctxt|msgid|msgstr) ", line)
        if start:
            field = start[1]
        if start or line.startswith('"'):
            entry[field] = entry.get(field, "") + ast.literal_eval(line[line.index('"') :])
        elif "msgid" in entry and not line:
            found[entry.get("msgctxt", ""), entry["msgid"]] = entry["msgstr"]
            entry = {}
    found.pop(("", ""), None)
    return found


def read_mo(path: Path) -> dict[Key, str]:
    with path.open("rb") as file:
        kept = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    keys = {each: tuple(each.split("\x04")) if "\x04" in each else ("", each) for each in kept if each}
    return {keys[each]: kept[each] for each in keys}


def said() -> Iterator[Key]:
    """What templates and code ask translations for."""
    for path in (ROOT / "templates").rglob("*"):
        if path.suffix in {".html", ".txt"}:
            source = templatize(path.read_text(encoding="utf-8"))
            for text in re.findall(r"gettext\(u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", source):
                yield "", ast.literal_eval(text)
            for text in re.findall(r"(?<![\w])_\((u?'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\)", source):
                yield "", ast.literal_eval(text)
    for path in ROOT.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
                if call.func.id == "_":
                    yield "", str(texts[0])
                if call.func.id == "pgettext_lazy":
                    yield str(texts[0]), str(texts[1])


def test_german_is_there() -> None:
    assert [path.parent.parent.name for path in CATALOGUES] == ["de"]


def test_what_is_said_was_found() -> None:
    found = set(said())
    assert ("mail", "Order") in found
    assert ("", "Hello %(username)s,") in found
    assert ("", "Your order %(about)s") in found
    assert ("", "What to do") in found
    assert len(found) > 30


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_translation_is_complete_and_has_nothing_beside(path: Path) -> None:
    catalogue = read_po(path)
    assert set(catalogue) == set(said())
    assert [key for key, text in catalogue.items() if not text.strip()] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_translation_names_the_same_values(path: Path) -> None:
    values = re.compile(r"%\((\w+)\)s|%(?!\()")
    for (_, text), translated in read_po(path).items():
        assert sorted(values.findall(text)) == sorted(values.findall(translated)), text


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
def test_compiled_translation_is_what_is_written(path: Path) -> None:
    # django-admin compilemessages makes it; a forgotten one would leave the old words in the mails.
    assert read_mo(path.with_suffix(".mo")) == read_po(path)


@pytest.mark.parametrize("name", mails.MAILS)
def test_every_mail_is_german_from_end_to_end(name: str) -> None:
    english = mails.render(mails.MAILS[name], samples.SAMPLES[name], "en")
    german = mails.render(mails.MAILS[name], samples.SAMPLES[name], "de-at")
    assert german.subject != english.subject
    # Whatever both have in common is a value, not a sentence of ours.
    sentences = {text for _, text in said() if "%" not in text and len(text) > 20}
    assert not [text for text in sentences if text in german.text or text in german.html]
    assert '<html lang="de-at" dir="ltr">' in german.html


@pytest.mark.parametrize(
    ("asked", "shown"), [("en", "en"), ("en-us", "en"), ("DE", "de"), ("de-at", "de"), ("fr", None), ("", None)]
)
def test_language_of_a_region_is_shown_in_its_language(asked: str, shown: str | None) -> None:
    assert languages.shown_in(asked) == shown


def test_operators_folder_adds_a_language(settings, tmp_path: Path) -> None:
    folder = tmp_path / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes((languages.OWN / "de" / "LC_MESSAGES" / "django.mo").read_bytes())
    settings.LOCALE_PATHS = [str(tmp_path)]
    assert languages.available() == ["de", "en", "pt-br"]


def test_every_mail_has_a_sample_and_both_templates() -> None:
    assert set(samples.SAMPLES) == set(mails.MAILS)
    for name in mails.MAILS:
        assert (ROOT / "templates" / "notifications" / f"{name}.html").exists()
        assert (ROOT / "templates" / "notifications" / f"{name}.txt").exists()


def test_default_language_is_one_that_there_is() -> None:
    assert languages.shown_in(django_settings.CC_MAIL_LANGUAGE) == "en"
