"""A person's act on a delivery: done and written down together, or neither."""

from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from commerce_coordinator.core.deliveries import replay as replaying
from commerce_coordinator.core.deliveries.acts import By
from commerce_coordinator.core.deliveries.chores import prune
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.testing.database_faults import inserts_fail

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OPERATOR = By(who="night-shift", why="x" * 300, origin="command")


@pytest.fixture
def dead() -> Delivery:
    dispatch = Dispatch.objects.create(signal="s", dedupe_key="k", origin="web", payload={})
    return Delivery.objects.create(
        dispatch=dispatch,
        receiver="shop.tasks.r",
        kind="task",
        state="dead",
        idempotency_key="key",
        settled_at=timezone.now(),
    )


def test_the_act_is_written_down_with_the_deed(dead: Delivery) -> None:
    replaying.replay(dead, by=OPERATOR)
    act = OperatorAct.objects.get()
    assert (act.kind, act.delivery, act.generation, act.who, act.origin) == (
        "replayed",
        dead,
        1,
        "night-shift",
        "command",
    )
    assert len(act.why) == 255


def test_a_deed_that_cannot_be_written_down_is_not_done(dead: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(replaying, "write_down", away)
    for deed in (replaying.replay, replaying.set_aside):
        with pytest.raises(DatabaseError):
            deed(dead)
    assert Delivery.objects.get().state == "dead"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("deed", "state"), [(replaying.replay, "pending"), (replaying.set_aside, "cancelled")])
def test_a_deadlock_is_run_again(dead: Delivery, deed: Any, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")  # the error and its number are MySQL's
    with inserts_fail(OperatorAct, *[OperationalError(1213, "Deadlock found")] * 2):
        assert deed(dead, by=OPERATOR).state == state
    assert OperatorAct.objects.get().generation == Delivery.objects.get().generation


def test_a_forced_one_is_told_from_a_replay(dead: Delivery) -> None:
    Delivery.objects.update(state="succeeded")
    dead.refresh_from_db()
    replaying.replay(dead, force=True)
    assert OperatorAct.objects.get().kind == "forced"


def test_of_two_that_set_it_aside_at_once_one_is_refused(dead: Delivery) -> None:
    stale = Delivery.objects.get()
    replaying.set_aside(dead)
    with pytest.raises(NotReplayable, match="changed by another just now"):
        replaying.set_aside(stale)
    with pytest.raises(NotReplayable, match="is cancelled, not dead"):
        replaying.set_aside(dead)
    assert OperatorAct.objects.count() == 1


def test_what_is_set_aside_can_be_replayed_after_all_under_its_old_key(dead: Delivery) -> None:
    replaying.set_aside(dead)
    assert replaying.replay(dead).state == "pending"
    assert dead.idempotency_key == "key"


def test_retention_takes_the_acts_with_their_story(dead: Delivery) -> None:
    replaying.set_aside(dead, by=OPERATOR)
    Dispatch.objects.update(created_at="2020-01-01T00:00:00Z")
    assert prune() == 1
    assert not OperatorAct.objects.exists()


def test_when_it_was_set_aside_is_when_it_ended(dead: Delivery) -> None:
    died = dead.settled_at
    replaying.set_aside(dead)
    assert dead.settled_at is not None and died is not None
    assert dead.settled_at > died
