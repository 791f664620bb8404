"""Keys in addresses: a UUID, with or without hyphens. Anything else names no row: 404, as a key that is not there."""

import uuid
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound

#: For the OpenAPI document.
PARAMETER = OpenApiParameter("key", OpenApiTypes.UUID, OpenApiParameter.PATH, description="Its id here, a UUID.")


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def not_found(model: Any) -> NotFound:
    return NotFound(f"There is no {model._meta.verbose_name} with this id.")
