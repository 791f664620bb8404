"""What every payload has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PRIVATE = {"private": True}

#: Private values are masked in logs, spans, admin lists and API answers for whoever lacks the permission.
PrivateText = Annotated[str, Field(json_schema_extra=PRIVATE)]


class Payload(BaseModel):
    """The named values of a signal. Immutable; strict or lenient about unknown fields as the engine asks."""

    # hide_input_in_errors: a validation error is logged and stored, and the input may be a person's name.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
