"""Old payloads go; ids, dead letters and what is in flight stay."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from commerce_coordinator.core.deliveries.chores import prune
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.chores import empty_old_bodies
from commerce_coordinator.core.inbox.models import InboxEvent

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def story(name: str, *, state: str = "succeeded", below: str = "succeeded", young: bool = False) -> None:
    """An event, a dispatch with one delivery, and a dispatch that the delivery sent, with one of its own."""
    at = timezone.now() - timedelta(days=0 if young else 91)
    event = InboxEvent.objects.create(
        provider="p", event_id=name, event_type="t", state="sent", raw_body=b"{}", received_at=at
    )
    parent = None
    for level, each in enumerate((state, below)):
        dispatch = Dispatch.objects.create(
            signal="s",
            dedupe_key=f"{name}{level}",
            subject=name,
            origin="web",
            created_at=at,
            parent=parent,
            event=None if parent else event,
        )
        parent = Delivery.objects.create(dispatch=dispatch, receiver="r", kind="task", state=each)
        Attempt.objects.create(delivery=parent, generation=0, number=1, outcome="succeeded", started_at=at, ended_at=at)


def test_old_settled_story_goes_as_a_whole_and_its_event_stays_as_a_tombstone() -> None:
    story("old")
    assert (prune(), empty_old_bodies()) == (2, 1)
    assert not (Dispatch.objects.exists() or Delivery.objects.exists() or Attempt.objects.exists())
    tombstone = InboxEvent.objects.get()
    assert (tombstone.event_id, tombstone.raw_body, tombstone.body_kept) == ("old", None, False)
    assert (prune(), empty_old_bodies()) == (0, 0)


def test_what_operators_did_to_an_event_goes_with_its_body() -> None:
    for name in ("old", "failed"):
        story(name)
        event = InboxEvent.objects.get(event_id=name)
        OperatorAct.objects.create(kind="replayed", event=event, who="night-shift", why="Zoe asked.", origin="web")
    InboxEvent.objects.filter(event_id="failed").update(state="failed")
    assert empty_old_bodies() == 1
    assert OperatorAct.objects.get().event.event_id == "failed"


@pytest.mark.parametrize(
    "kept", [{"below": "dead"}, {"below": "pending"}, {"below": "running"}, {"young": True}], ids=str
)
def test_story_with_anything_open_dead_or_young_stays_whole(kept: dict[str, Any]) -> None:
    story("kept", **kept)
    story("old")
    assert prune() == 2
    assert list(Dispatch.objects.values_list("subject", flat=True)) == ["kept", "kept"]


@pytest.mark.parametrize("state", ["dead", "pending"])
def test_delivery_that_may_run_again_keeps_what_it_sent(state: str) -> None:
    story("kept", state=state)
    assert prune() == 0
    assert Delivery.objects.count() == 2


def test_failed_event_keeps_its_body_for_the_replay() -> None:
    story("failed")
    InboxEvent.objects.update(state="failed")
    assert empty_old_bodies() == 0
    assert InboxEvent.objects.get().raw_body is not None
