"""A row written by our INSERT is the row that Django would have written."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model
from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inserts import insert

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def event(event_id: str = "evt_1", **values: Any) -> InboxEvent:
    fields = {"raw_body": b"\x00\xff'\\%s", "reason": "é 'quoted' %s", **values}
    return InboxEvent(provider="stripe", event_id=event_id, event_type="t", state="sent", trace_id="0" * 32, **fields)


def rows() -> list[Model]:
    now = timezone.now()
    dispatch = Dispatch(
        signal="a.b", payload={"é": [1, None, "'"]}, dedupe_key="k", origin="web", trace_id="0" * 32, span_id="0" * 16
    )
    delivery = Delivery(
        dispatch=dispatch,
        receiver="c.d",
        kind="task",
        created_at=now,
        next_attempt_at=now,
        wake_at=now + timedelta(seconds=1.5),
    )
    attempt = Attempt(
        delivery=delivery,
        generation=0,
        number=1,
        outcome="lost",
        calls=[{"ms": 1.5}],
        started_at=now,
        ended_at=now,
    )
    return [event(), event("evt_2", raw_body=None, body_kept=False), dispatch, delivery, attempt]


def values_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_every_column_comes_back_as_it_was_given() -> None:
    for row in rows():
        insert(row)
        assert values_of(type(row)._default_manager.get(pk=row.pk)) == values_of(row)


def test_it_is_the_row_that_django_would_have_written() -> None:
    for row in rows():
        insert(row)
    models = (InboxEvent, Dispatch, Delivery, Attempt)
    ours = [list(model._default_manager.values()) for model in models]
    for model in reversed(models):
        model._default_manager.all().delete()
    for model, values in zip(models, ours, strict=True):
        model._default_manager.bulk_create(model(**each) for each in values)
        assert list(model._default_manager.values()) == values


def test_several_rows_take_one_statement(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        insert(*(event(f"evt_{number}") for number in range(3)))
    assert InboxEvent.objects.count() == 3


def test_an_inserted_row_can_be_saved_again() -> None:
    row = event()
    insert(row)
    row.reason = "another"
    row.save(update_fields=["reason"])
    assert InboxEvent.objects.get().reason == "another"


def test_what_is_there_already_is_refused(transactional_db: None) -> None:
    insert(event(id=uuid7()))
    with pytest.raises(IntegrityError):
        insert(event(id=uuid7()))
