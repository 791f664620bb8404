"""What nothing was sent of is found all the same: a failed event, by what the customer reads out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core import trace_roots
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.trace_roots import beginnings

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def event(number: int, state: str = "failed") -> InboxEvent:
    body = b'{"id": "evt_%d", "data": {"id": "pi_%d", "order_number": "EDX-%d"}}' % (number, number, number)
    return InboxEvent.objects.create(
        provider="shop", event_id=f"evt_{number}", event_type="t", state=state, raw_body=body, trace_id=f"{number:032x}"
    )


@pytest.mark.parametrize("reference", ["pi_1", "EDX-1"])
def test_a_failed_event_is_found_by_what_its_body_says(reference: str) -> None:
    failed, _ = event(1), event(2)
    assert beginnings(reference, private=True) == ({failed.pk}, set())


@pytest.mark.parametrize("reference", ["pi_", "EDX", "1", "order_number_", '"EDX-1'])
def test_a_part_of_a_text_is_no_reference(reference: str) -> None:
    event(1)
    assert beginnings(reference, private=True) == (set(), set())


def test_who_may_not_see_bodies_does_not_search_them() -> None:
    event(1)
    assert beginnings("EDX-1", private=False) == (set(), set())


def test_an_ignored_event_is_not_looked_into() -> None:
    event(1, state="ignored")
    assert beginnings("EDX-1", private=True) == (set(), set())


def test_only_the_newest_bodies_are_read_and_only_where_nothing_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_roots, "MOST_BODIES", 2)
    for number in range(1, 5):
        event(number)
    assert beginnings("EDX-1", private=True) == (set(), set())
    assert len(beginnings("EDX-4", private=True)[0]) == 1
    with CaptureQueriesContext(connection) as captured:
        beginnings("evt_4", private=True)
    assert not any("raw_body" in each["sql"] for each in captured)
