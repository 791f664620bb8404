"""JSON by RFC 8259 and in UTF-8, without what Python's own reader lets pass and no database takes."""

import json
import math
import re
from typing import Any

#: Escapes of what is valid JSON and no text: NUL, which databases refuse, and halves of surrogate pairs.
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class NotJSON(ValueError):
    """The text says what is wrong, and quotes nothing: `is not valid JSON in UTF-8`."""


def load(body: bytes) -> Any:
    """What the bytes say. Raises NotJSON."""
    try:
        text = body.decode("utf-8")
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        # Constant: an error's own text could quote the body.
        raise NotJSON("is not valid JSON in UTF-8") from None
    if _SUSPICIOUS.search(text) and not _is_clean(found):
        raise NotJSON("has a NUL or half a surrogate pair in it, which is no text")
    return found


def _refuse(name: str) -> None:
    # Python reads NaN and Infinity; JSON knows neither.
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _is_clean(found: Any) -> bool:
    text = json.dumps(found, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    # json writes a NUL as its escape; an escaped backslash before u0000 is harmless.
    return re.search(r"(?<!\\)(?:\\\\)*\\u0000", text) is None
