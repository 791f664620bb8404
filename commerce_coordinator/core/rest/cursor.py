"""Long lists, newest first, along their keys: ?cursor=<key>&page_size=50 -> {next, results}.

Keys rise with time (`core.ids.uuid7`), so a page is what is older than the cursor. What comes in meanwhile stands
before the first page: no row is shown twice, and none is left out. No page costs more than the first.
"""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from .pagination import Pages

NAMES = CURSOR, PAGE_SIZE = "cursor", "page_size"

#: For the OpenAPI document.
PARAMETERS = [
    OpenApiParameter(
        CURSOR,
        {"type": "string", "format": "uuid"},
        description="What is older than this key; `next` of an answer carries it.",
    ),
    OpenApiParameter(
        PAGE_SIZE,
        {"type": "integer", "minimum": 1},
        description=f"So many results at most: {Pages.page_size} by default, {Pages.max_page_size} at most.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """What one page shows: `size` rows that are older than `before`."""

    before: uuid.UUID | None
    size: int


def window(request: Request) -> Window:
    """What the request asks for. Raises ValidationError."""
    text = request.query_params.get(CURSOR, "")
    try:
        before = uuid.UUID(text) if text else None
    except ValueError:
        raise ValidationError({CURSOR: ["It is the one that `next` of an answer carries: a UUID."]}) from None
    return Window(before=before, size=Pages().get_page_size(request))


def page(request: Request, results: Sequence[Any], after: uuid.UUID | None) -> dict[str, Any]:
    """The answer. after: where the next page begins; None: there is none."""
    address = request.build_absolute_uri()
    return {"next": replace_query_param(address, CURSOR, str(after)) if after else None, "results": results}
