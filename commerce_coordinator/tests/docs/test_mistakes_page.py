"""docs/mistakes.rst explains each mistake in the map."""

from commerce_coordinator.core.signals.mistakes import DOUBTS, IDS

from .pages import DOCS, page


def test_each_mistake_is_explained_under_its_id() -> None:
    rows = {row[0]: row[1] for row in page(DOCS / "mistakes.rst").rows(columns=3) if row[0].startswith("cc.")}
    assert rows == {f"cc.{number}": text for number, text in {**IDS, **DOUBTS}.items()}
