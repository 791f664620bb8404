"""Periodic work: once per period however many relays there are, and one chore's failure is not the others'."""

import datetime
import logging
import threading

import pytest
from django.db import connection

from commerce_coordinator.core import chores
from commerce_coordinator.core.chores import chore, run_due_chores
from commerce_coordinator.core.deliveries.models import Heartbeat

# Who moves the heartbeat on is for each database to say.
pytestmark = pytest.mark.database

NOW = datetime.datetime(2026, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _no_other_chores(monkeypatch):
    monkeypatch.setattr(chores, "chores", {})


@pytest.fixture
def done():
    return []


@pytest.fixture
def dust(done):
    @chore(every=HOUR)
    def dust():
        done.append("dust")

    return dust


def test_a_chore_stays_a_plain_function(dust, done):
    dust()
    assert done == ["dust"]
    (registered,) = chores.chores.values()
    assert registered.every == HOUR and registered.function is dust
    assert registered.name == f"chore:{__name__}.dust.<locals>.dust"


@pytest.mark.django_db
def test_a_chore_runs_at_once_and_then_once_per_period(dust, done):
    assert run_due_chores(NOW) == [f"chore:{__name__}.dust.<locals>.dust"]
    assert run_due_chores(NOW) == []
    assert run_due_chores(NOW + HOUR - SECOND) == []
    assert len(run_due_chores(NOW + HOUR)) == 1
    assert run_due_chores(NOW + HOUR) == []
    assert len(run_due_chores(NOW + 10 * HOUR)) == 1
    assert done == ["dust"] * 3


@pytest.mark.django_db
def test_each_chore_has_a_period_of_its_own(dust, done):
    @chore(every=3 * HOUR)
    def wash():
        done.append("wash")

    for hours in range(4):
        run_due_chores(NOW + hours * HOUR)
    assert done == ["dust", "wash", "dust", "dust", "dust", "wash"]


@pytest.mark.django_db
def test_a_relays_clock_that_is_behind_runs_nothing_twice(dust, done):
    run_due_chores(NOW)
    assert run_due_chores(NOW - 2 * HOUR) == []
    assert Heartbeat.objects.get().beat_at == NOW


@pytest.mark.django_db
def test_without_a_given_time_it_is_now(dust, done, time_machine):
    time_machine.move_to(NOW, tick=False)
    run_due_chores()
    assert Heartbeat.objects.get().beat_at == NOW


@pytest.mark.django_db(transaction=True)
def test_with_two_relays_each_chore_runs_once_per_period(dust, done):
    """Both come at the very same moment; whoever moves the heartbeat on, runs it."""

    @chore(every=HOUR)
    def wash():
        done.append("wash")

    periods, failures, start = 10, [], threading.Barrier(2)

    def relay():
        try:
            for number in range(periods):
                start.wait()
                run_due_chores(NOW + number * HOUR)
        except Exception as error:
            failures.append(error)
            start.abort()
        finally:
            connection.close()

    relays = [threading.Thread(target=relay) for _ in range(2)]
    for each in relays:
        each.start()
    for each in relays:
        each.join()
    assert failures == []
    assert (done.count("dust"), done.count("wash")) == (periods, periods)


@pytest.mark.django_db
def test_a_failing_chore_is_logged_and_the_others_run(done, caplog):
    @chore(every=HOUR)
    def drop_the_vase():
        raise RuntimeError("Ada's vase is broken.")

    @chore(every=HOUR)
    def wash():
        done.append("wash")

    assert len(run_due_chores(NOW)) == 2
    assert done == ["wash"]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "Chore failed."
    assert record.chore.endswith("drop_the_vase")
    assert record.error_class == "RuntimeError" and record.where.endswith(" drop_the_vase")
    # An error's own words may quote a payload.
    assert "Ada" not in caplog.text
    # It waits for its next period, as if it had worked: no storm of failures.
    assert run_due_chores(NOW + SECOND) == []
    assert len(run_due_chores(NOW + HOUR)) == 2


def test_a_name_too_long_for_its_column_is_refused():
    def clean():
        pass

    clean.__qualname__ = "c" * 200
    with pytest.raises(ValueError, match="longer than 128"):
        chore(every=HOUR)(clean)
    assert not chores.chores
