"""Refused webhooks are counted for people; a flood of forged ones costs next to nothing and cannot grow a table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.inbox import refusals as module
from commerce_coordinator.core.inbox.chores import forget_old_refusals
from commerce_coordinator.core.inbox.models import WebhookRefusal
from commerce_coordinator.core.inbox.refusals import MOST_KINDS, OTHER, refusals, refused_since
from commerce_coordinator.core.testing.database_faults import updates_fail

from .test_webhooks import EVENT, post, routed  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOON = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=365)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def the_time_is_up() -> None:
    refusals._not_before = 0.0


def statements(act: Any, *arguments: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        act(*arguments)
    return len(captured)


def test_the_first_is_written_at_once_and_later_ones_together() -> None:
    refusals.note("shop", "signature_invalid")
    assert refused_since(LONG_AGO) == {"shop": {"signature_invalid": 1}}
    assert statements(lambda: [refusals.note("shop", "signature_invalid") for _ in range(1000)]) == 0
    the_time_is_up()
    assert statements(refusals.note, "shop", "signature_invalid") == 1
    assert refused_since(LONG_AGO) == {"shop": {"signature_invalid": 1002}}


def test_what_waits_is_written_by_whoever_asks_for_it_later() -> None:
    refusals.note("shop", "signature_invalid")
    refusals.note("shop", "body_not_json")
    assert statements(refusals.write_due) == 0
    the_time_is_up()
    refusals.write_due()
    the_time_is_up()
    assert statements(refusals.write_due) == 0
    assert refused_since(LONG_AGO) == {"shop": {"signature_invalid": 1, "body_not_json": 1}}


def test_a_flood_adds_to_one_row_per_code_and_ten_minutes() -> None:
    for _ in range(50):
        the_time_is_up()
        refusals.note("shop", "signature_invalid")
    assert [(row.times, row.since.minute) for row in WebhookRefusal.objects.all()] == [(50, 0)]
    with time_machine.travel(NOON + timedelta(minutes=8), tick=False):
        the_time_is_up()
        refusals.note("shop", "signature_invalid")
    assert WebhookRefusal.objects.count() == 2


def test_codes_that_came_from_a_request_would_be_bounded() -> None:
    refusals.note("shop", "signature_invalid")
    for number in range(10 * MOST_KINDS):
        refusals.note("shop", f"made_up_{number}" + "x" * 100)
    the_time_is_up()
    refusals.write_due()
    assert WebhookRefusal.objects.count() <= MOST_KINDS + 2
    assert refused_since(LONG_AGO)["shop"][OTHER] == 9 * MOST_KINDS


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_the_same_when_the_count_cannot_be_written(post: Any) -> None:  # noqa: F811
    with updates_fail(WebhookRefusal, OperationalError("away")):
        answer = post(EVENT, signed=False)
    assert answer.status_code == 400
    the_time_is_up()
    refusals.write_due()
    assert refused_since(LONG_AGO) == {"testprovider": {"signature_invalid": 1}}


def test_an_accepted_event_pays_nothing_for_it(post: Any) -> None:  # noqa: F811
    post({**EVENT, "id": "evt_first"})
    before = statements(post, {"id": "evt_2", "type": "unknown"})
    refusals.note("shop", "signature_invalid")
    refusals.note("shop", "signature_invalid")
    the_time_is_up()
    assert statements(post, {"id": "evt_3", "type": "unknown"}) == before


def test_no_two_threads_write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(module, "_add", lambda provider, code, times, now: written.append(times))
    threads = [Thread(target=refusals.note, args=("shop", "signature_invalid")) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    the_time_is_up()
    refusals.write_due()
    assert sum(written) == 20


def test_counts_of_the_last_hour_are_found_and_old_ones_go() -> None:
    refusals.note("shop", "signature_invalid")
    assert refused_since(NOON - timedelta(hours=1)) == {"shop": {"signature_invalid": 1}}
    assert refused_since(NOON + timedelta(seconds=1)) == {}
    with time_machine.travel(NOON + timedelta(days=6), tick=False):
        assert forget_old_refusals() == 0
    with time_machine.travel(NOON + timedelta(days=8), tick=False):
        assert forget_old_refusals() == 1
    assert not WebhookRefusal.objects.exists()
