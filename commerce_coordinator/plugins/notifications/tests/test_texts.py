"""Values from outside, on one line."""

import pytest

from commerce_coordinator.core.telemetry.masking import MASK

from ..texts import one_line, tidy, without_person


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("EDX-1", "EDX-1"),
        ("  a \t b\n", "a b"),
        ("a\r\nBcc: b", "a Bcc: b"),
        ("a\x00b\x1bc\x85d\u2028e\u2029f", "a b c d e f"),
        ("abc\u202egpj.exe", "abcgpj.exe"),
        ("half \ud83d pair", "half pair"),
        ("zero\u200djoined", "zero\u200djoined"),
        (1313, "1313"),
        ("", ""),
    ],
)
def test_value_is_one_line(given: object, shown: str) -> None:
    assert one_line(given) == shown
    one_line(given).encode()  # raises for half a pair


def test_long_value_is_cut_and_says_so() -> None:
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 10, longest=5) == "xxxx…"


def test_what_tags_leave_behind_is_gone() -> None:
    assert tidy("\n\na  \n\n\n\n\nb\n\t\n\n") == "a\n\nb\n"


@pytest.mark.parametrize(
    ("text", "names", "shown"),
    [
        ("User ann is unknown.", ["ann"], f"User {MASK} is unknown."),
        ("User Ann, not annabel or joann.", ["ann"], f"User {MASK}, not annabel or joann."),
        ("Write to bob@example.com!", ["ann"], f"Write to {MASK}!"),
        ("<ann.o'neil+x@example.com> is nobody", ["ann.o'neil+x@example.com"], f"<{MASK}> is nobody"),
        ("a.b", [".", ""], "a.b"),
        ("Nothing to hide.", [], "Nothing to hide."),
    ],
)
def test_words_of_the_far_side_name_nobody(text: str, names: list[str], shown: str) -> None:
    assert without_person(text, names) == shown
