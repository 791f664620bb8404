"""A contract's fields in words, out of its JSON Schema."""

import datetime
import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic
import pytest

from commerce_coordinator.core.signals.contract_fields import fields_of
from commerce_coordinator.payloads.base import Payload, PrivateText


class Buyer(Payload):
    name: PrivateText
    knows: "Buyer | None" = None


class Seat(Payload):
    row: int
    next_to: "Seat | None" = None


@pytest.mark.parametrize(
    ("annotation", "told", "private"),
    [
        (str, "text", "no"),
        (int, "whole number", "no"),
        (float, "number", "no"),
        (bool, "true or false", "no"),
        (None, "null", "no"),
        (Any, "anything", "no"),
        (str | None, "text or null", "no"),
        (int | str, "whole number or text", "no"),
        (datetime.datetime, "date and time", "no"),
        (datetime.date, "date", "no"),
        (uuid.UUID, "uuid", "no"),
        (Decimal, "number or text", "no"),
        (Literal["a"], "“a”", "no"),
        (Literal["a", 1], "“a” or 1", "no"),
        (list, "list", "no"),
        (tuple[str, ...], "list of text", "no"),
        (dict[str, int], "map of whole number", "no"),
        (dict, "map", "no"),
        (Seat, "Seat", "no"),
        (list[Seat], "list of Seat", "no"),
        (PrivateText, "text", "yes"),
        (Annotated[Seat, pydantic.Field(json_schema_extra={"private": True})], "Seat", "yes"),
        (Buyer, "Buyer", "in part"),
        (dict[str, Buyer | Seat], "map of Buyer or Seat", "in part"),
        (PrivateText | None, "text or null", "in part"),
    ],
)
def test_field_is_told_by_its_type_and_by_what_is_private(annotation: Any, told: str, private: str) -> None:
    contract = pydantic.create_model("Contract", field=(annotation, ...))
    (field,) = fields_of(contract.model_json_schema())
    assert (field.name, field.type, field.is_required, field.private) == ("field", told, True, private)


def test_fields_stand_in_the_contracts_order_and_tell_which_may_be_left_out() -> None:
    contract = pydantic.create_model("Contract", b=(str, ...), a=(int, 1))
    assert [(each.name, each.is_required) for each in fields_of(contract.model_json_schema())] == [
        ("b", True),
        ("a", False),
    ]
    assert fields_of(pydantic.create_model("Nothing").model_json_schema()) == []
