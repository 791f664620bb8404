"""JSON bodies, read so that no value of them can break anything behind: a bad one is 400, a large one 413."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.request import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

from .errors import TooLarge

#: Escapes of what is valid JSON and no text: NUL, which databases refuse, and halves of surrogate pairs.
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class StrictJSONParser(JSONParser):
    """RFC 8259 and UTF-8, up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes, which Django itself enforces for forms only."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The parsed body. Raises ParseError (400) or TooLarge (413)."""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        try:
            body = stream.read(most + 1)
        except UnreadablePostError:
            raise ParseError("The body broke off.") from None
        if len(body) > most:
            raise TooLarge()
        try:
            text = body.decode("utf-8")
            found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            # Constant: an error's own text could quote the body.
            raise ParseError("The body is not valid JSON in UTF-8.") from None
        if _SUSPICIOUS.search(text) and not _is_clean(found):
            raise ParseError("The body has a NUL or half a surrogate pair in it, which is no text.")
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
