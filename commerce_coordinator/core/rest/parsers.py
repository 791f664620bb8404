"""JSON bodies, read so that no value of them can break anything behind: a bad one is 400, a large one 413."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.request import UnreadablePostError
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

from commerce_coordinator.core import strict_json

from .errors import TooLarge


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
            return strict_json.load(body)
        except strict_json.NotJSON as wrong:
            raise ParseError(f"The body {wrong}.") from None
