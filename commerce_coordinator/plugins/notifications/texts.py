"""Values from outside, made fit for one line of a mail."""

import re
import unicodedata
from collections.abc import Sequence

from django.utils import formats

from commerce_coordinator.core.telemetry.masking import MASK, mask_text
from commerce_coordinator.payloads.money import Money, iso_exponent

#: A subject or a table's cell that is longer helps nobody.
LONGEST = 300

#: Controls (line breaks among them), and what turns the direction of writing round: a name must not dress up as
#: something else (Unicode, general categories Cc, Zl, Zp; bidirectional controls of Unicode Standard Annex 9).
_BREAKING = frozenset({"Cc", "Zl", "Zp", "Cs"})
_TURNING = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def one_line(value: object, longest: int = LONGEST) -> str:
    """The value as one line of at most so many characters: no header and no second line can be smuggled in."""
    text = str(value).translate(_TURNING)
    spaced = "".join(" " if unicodedata.category(each) in _BREAKING else each for each in text)
    line = " ".join(spaced.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def tidy(text: str) -> str:
    """What a template's tags leave behind is taken away: spaces at line ends, more than one empty line."""
    without = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", without).strip() + "\n"


def money_text(money: Money) -> str:
    """As the active language writes numbers, with the currency's own places: 1,234.50 USD; in German 1.234,50 USD."""
    number = formats.number_format(
        money.as_decimal(), decimal_pos=iso_exponent(money.currency), use_l10n=True, force_grouping=True
    )
    return f"{number} {money.currency}"


def without_person(text: str, names: Sequence[str]) -> str:
    """The far side's words without the learner's names, and without what looks like an address or a secret.

    A mail passes by the permission to see private values, so it must not tell more than the log does.
    """
    masked = mask_text(text)
    for name in filter(None, names):
        masked = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", MASK, masked, flags=re.IGNORECASE)
    return one_line(masked)
