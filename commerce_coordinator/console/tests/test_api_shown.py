"""What is kept is shown, though it could not be sent as it is."""

import json
from typing import Any

import pytest
from django.db import connection

from commerce_coordinator.console.api.shown import TOO_DEEP, printable

from .api_calls import Caller
from .test_admin_rows import dispatch


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "mysql", reason="MariaDB keeps no half of a surrogate pair")
@pytest.mark.parametrize("payload", [{"x": "\ud800"}, {"\udfff": None}, None], ids=repr)
def test_payload_that_cannot_be_encoded_is_an_answer_too(payload: Any) -> None:
    row = dispatch("shop.signals.without_contract", 1, payload=payload)
    for rights in (("read",), ("read", "private")):
        Caller(*rights).get(f"dispatches/{row.pk}/")


def test_value_that_can_be_sent_stays_as_it_is() -> None:
    value = {"x": ["é", "\U0001f600", 1.5, None, True, {"y": ""}]}
    assert printable(value) == value


def test_value_that_is_nested_too_deep_is_told_as_that() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert printable(value) == TOO_DEEP
    assert json.dumps(TOO_DEEP)
