"""A candidate under production's settings, with a plugin of another package: what production would read, no less."""

import json
from pathlib import Path
from typing import Any

import pytest

from commerce_coordinator.settings.tests.test_modules import RIGHT, ROOT, WANTED, run
from commerce_coordinator.tests.docs.examples import installed

BOOK_ORDERED = "bookshop.signals.book_ordered"
SHIP_BOOK = "bookshop.tasks.ship_book"
FAILED = "commerce_coordinator.plugins.stripe.signals.payment_failed"
NOTE = "bookshop.receivers.note_parcel"


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    """The judgement of a file while another one is in force; `said`: all that was written."""
    place = installed(ROOT / "docs" / "example_plugin", tmp_path / "site")

    def judge(candidate: dict[str, Any], present: dict[str, Any] | None = None, **environment: str) -> Any:
        (tmp_path / "candidate.yml").write_text(json.dumps(candidate))
        (tmp_path / "present.yml").write_text(json.dumps(present or {}))
        ended = run(
            *("manage.py", "routes", "--json", "--config", str(tmp_path / "candidate.yml")),
            **{**RIGHT, **WANTED, "PYTHONPATH": place, "BOOKSHOP_SECRET": "b7", **environment},
            COMMERCE_COORDINATOR_CFG=str(tmp_path / "present.yml"),
        )
        found = json.loads(ended.stdout)
        assert ended.returncode == (0 if found["starts"] else 1), ended.stderr
        assert "hunter2" not in ended.stdout + ended.stderr
        return found

    return judge


def test_what_the_present_file_replaced_comes_back_when_the_next_one_is_silent(judged: Any) -> None:
    found = judged({}, present={"CC_SIGNALS": {BOOK_ORDERED: []}})
    (change,) = found["signals"]
    assert (change["signal"], change["added"], change["removed"]) == (BOOK_ORDERED, [SHIP_BOOK], [])
    assert (found["starts"], found["mistakes"], found["filters"]) == (True, [], [])


def test_present_file_as_the_next_one_changes_nothing(judged: Any) -> None:
    file = {"CC_SIGNALS": {BOOK_ORDERED: []}, "CC_RETENTION_DAYS": 30}
    assert judged(file, present=file)["signals"] == []


def test_receivers_of_another_package_are_judged_as_our_own(judged: Any) -> None:
    found = judged({"CC_SIGNALS": {FAILED: [NOTE], BOOK_ORDERED: [f"{SHIP_BOOK}s"]}})
    assert sorted(each["id"] for each in found["mistakes"]) == ["cc.E001", "cc.E008"]
    assert [each["hint"] for each in found["mistakes"] if each["id"] == "cc.E001"] == [
        f"Correct the receiver's dotted path in {BOOK_ORDERED}. Did you mean {SHIP_BOOK}?"
    ]


def test_what_production_demands_is_told_with_the_maps_mistakes(judged: Any) -> None:
    candidate = {"SECRET_KEY": "hunter2", "CC_RETENTION_DAYS": 1, "CC_SIGNALS": {FAILED: None}}
    texts = [f"{each['id']} {each['text']}".strip() for each in judged(candidate)["mistakes"]]
    assert [text.split()[0] for text in texts] == ["SECRET_KEY", "CC_RETENTION_DAYS", "cc.E009"]


def test_secret_that_only_the_present_file_has_is_missed_in_the_next_one(judged: Any) -> None:
    secrets = {"CC_STRIPE_SECRETS": {"": ["whsec_9Xk2"]}}
    assert judged(secrets, present=secrets, CC_STRIPE_SECRETS="{}")["starts"] is True
    missed = judged({}, present=secrets, CC_STRIPE_SECRETS="{}")["mistakes"]
    assert missed[0]["text"].startswith("CC_STRIPE_SECRETS is not set.")
