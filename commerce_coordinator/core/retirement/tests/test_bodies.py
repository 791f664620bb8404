"""Which bodies of events name a person."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.retirement import bodies
from commerce_coordinator.core.retirement.rooms import Person

ANN = Person(lms_user_id=1313, names=frozenset({"ann", "ann@example.com", "ann lee", "zoë"}))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"metadata": {"username": "Ann"}}, True),
        ({"metadata": {"username": "ann2"}}, False),
        ({"metadata": {"lms_user_id": "1313"}}, True),
        ({"metadata": {"lms_user_id": 1313}}, True),
        ({"amount": 1313}, False),
        ({"id": "ch_1313"}, False),
        ({"receipt_email": "ANN@example.com"}, True),
        ({"description": "Receipt for ann@example.com."}, True),
        ({"receipt_email": "joann@example.com"}, False),
        ({"receipt_email": "ann@example.com.au"}, True),  # rather one too many than one that stays
        ({"billing_details": {"name": "Ann Lee"}}, True),
        ({"currency": "ann"}, False),
        ({"names": [{"name": "zo\u00eb"}]}, True),
        ({"user": ["ben", "ann"]}, True),
    ],
)
def test_body_names_her_by_address_id_or_name(body: Any, named: bool) -> None:
    assert bodies.names_any([Person(lms_user_id=7), ANN], json.dumps({"data": body}).encode()) is named


@pytest.mark.parametrize("body", [b"", b"ann", b"\xff ann", b'{"username": "ann"', b"[" * 100_000 + b'"ann"'])
def test_body_that_is_no_json_names_nobody(body: bytes) -> None:
    assert not bodies.names_any([ANN], body)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bodies, "BATCH", 2)
    yield


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.usefixtures("small_batches")
def test_every_body_is_read_once_and_only_hers_are_emptied(django_assert_num_queries: Any) -> None:
    hers = json.dumps({"username": "ann"}).encode()
    for number, body in enumerate([hers, b"{}", hers, b"{}", hers]):
        InboxEvent.objects.create(
            provider="p", event_id=f"evt_{number}", event_type="t", state="ignored", raw_body=body, trace_id="t"
        )
    place: str | None = ""
    with django_assert_num_queries(3 + 3 * 2):  # three reads; in each an emptying, and one of what operators said
        while place is not None:
            place = bodies.search([ANN], place)
    kept = InboxEvent.objects.order_by("event_id").values_list("event_id", "body_kept")
    assert list(kept) == [("evt_0", False), ("evt_1", True), ("evt_2", False), ("evt_3", True), ("evt_4", False)]
    assert InboxEvent.objects.get(event_id="evt_0").raw_body is None
