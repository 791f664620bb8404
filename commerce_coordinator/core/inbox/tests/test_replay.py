"""A person's act on an event, while others are at the same rows."""

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection

from commerce_coordinator.core.deliveries.models import Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event, set_aside
from commerce_coordinator.core.testing.database_faults import inserts_fail

from .test_webhooks import TestProviderView, paid, post, routed  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

DEADLOCKS = [OperationalError(1213, "Deadlock found")] * 2


@pytest.fixture
def failed(post: Any, monkeypatch: pytest.MonkeyPatch) -> InboxEvent:  # noqa: F811
    """An event that failed, and can be understood by now."""
    post({"id": "e", "type": "paid", "case": "no order"})
    mended = {"paid": (paid, lambda *_: {"order_number": "X", "payment_id": "p"})}
    monkeypatch.setattr(TestProviderView, "signals", mended)
    return InboxEvent.objects.get()


def test_a_deadlock_is_run_again(failed: InboxEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")  # the error and its number are MySQL's
    with inserts_fail(OperatorAct, *DEADLOCKS):
        assert replay_event(failed).state == "sent"
    assert (Dispatch.objects.count(), OperatorAct.objects.count()) == (1, 1)


def test_a_deadlock_sets_aside_all_the_same(failed: InboxEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")
    with inserts_fail(OperatorAct, *DEADLOCKS):
        assert set_aside(failed).state == "ignored"
    assert OperatorAct.objects.count() == 1


def test_losing_a_race_for_the_same_fact_is_no_failure(failed: InboxEvent) -> None:
    with inserts_fail(Dispatch, IntegrityError("Duplicate entry")):
        assert replay_event(failed).state == "sent"
    assert (Dispatch.objects.count(), OperatorAct.objects.count()) == (1, 1)
