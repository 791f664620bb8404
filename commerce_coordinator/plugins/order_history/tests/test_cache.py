"""A history is kept for a minute at most, and no longer than until something is sent about its buyer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.ids import uuid7
from commerce_coordinator.core.rest.testing import as_user

from .. import cache as ours
from .steps_for_tests import ASKED, NOON, order

pytestmark = pytest.mark.django_db

URL = "/orders/order_history/"


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as travelling:
        yield travelling


def times_asked(client: Client, user: str = "amina", lms_user_id: int = 7) -> int:
    """How often a source is asked for one answer."""
    ASKED.clear()
    response = client.get(URL, headers=as_user(user, lms_user_id=lms_user_id))
    assert response.status_code == 200
    return len(ASKED) // 2


def sent_about(person: str) -> Dispatch:
    return Dispatch.objects.create(signal="s", dedupe_key=uuid7().hex, person=person, payload={}, origin="worker")


def test_sources_are_asked_once_a_minute(client: Client, clock: Any) -> None:
    assert times_asked(client) == 1
    clock.shift(timedelta(seconds=59))
    assert times_asked(client) == 0
    clock.shift(timedelta(seconds=1))
    assert times_asked(client) == 1


def test_what_is_sent_about_the_buyer_shows_at_once(client: Client, clock: Any, stock: dict[str, Any]) -> None:
    assert times_asked(client) == 1
    stock["first"] = {"amina": [order("EDX-1")]}
    sent_about("7")
    assert times_asked(client) == 1
    assert times_asked(client) == 0


def test_dispatch_that_was_committed_late_shows_too(client: Client, clock: Any) -> None:
    """Its id is older than one that is there: another process was slower, or its clock is."""
    early = uuid7()
    sent_about("7")
    assert times_asked(client) == 1
    Dispatch.objects.create(id=early, signal="s", dedupe_key="late", person="7", payload={}, origin="worker")
    assert times_asked(client) == 1


@pytest.mark.parametrize("person", ["8", "77", "", "None", "amina"])
def test_what_is_sent_about_others_changes_nothing(client: Client, clock: Any, person: str) -> None:
    assert times_asked(client) == 1
    sent_about(person)
    assert times_asked(client) == 0


def test_gap_is_kept_for_seconds_only(client: Client, clock: Any, stock: dict[str, Any]) -> None:
    stock["first"] = "away"
    assert times_asked(client) == 1
    clock.shift(timedelta(seconds=4))
    assert times_asked(client) == 0
    clock.shift(timedelta(seconds=1))
    assert times_asked(client) == 1


def test_key_tells_no_name(client: Client) -> None:
    key = ours.key_of("amina", 7)
    assert "amina" not in key and ".7" not in key.removesuffix("0.None")
    assert key == ours.key_of("amina", 7)
    assert len({key, ours.key_of("amina", 8), ours.key_of("bo", 7), ours.key_of("amina", None)}) == 4


class BrokenCache(BaseCache):
    """As a Redis that is away."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__({})

    def _away(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError("the cache is away")

    get = set = add = delete = touch = clear = _away  # type: ignore[assignment]


@pytest.fixture
def broken_cache(settings: Any) -> Iterator[None]:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
    yield
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    caches["default"].clear()


def test_broken_cache_costs_time_and_nothing_else(
    client: Client, broken_cache: None, stock: dict[str, Any], caplog: Any
) -> None:
    stock["first"] = {"amina": [order("EDX-1")]}
    assert times_asked(client) == times_asked(client) == 1
    told = [vars(line) for line in caplog.records if line.name == ours.__name__]
    assert {line["msg"] for line in told} == {"The cache of order histories does not work."}
    assert "amina" not in str(told)


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"orders": 1}', 5, b"\x80"])
def test_rubbish_in_the_cache_is_as_good_as_nothing(client: Client, rubbish: Any) -> None:
    times_asked(client)
    cache.set(ours.key_of("amina", 7), rubbish, 60)
    assert times_asked(client) == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_key_is_found_by_the_index_of_persons(transactional_db: None) -> None:
    Dispatch.objects.bulk_create(
        Dispatch(signal="s", dedupe_key=str(n), person=str(n % 200), payload={}, origin="web") for n in range(1000)
    )
    with CaptureQueriesContext(connection) as captured:
        ours.key_of("amina", 17)
    [statement] = captured.captured_queries
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("ANALYZE TABLE deliveries_dispatch")
            cursor.fetchall()
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + statement["sql"])
        names = [column[0] for column in cursor.description or ()]
        [row] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    if connection.vendor == "sqlite":
        assert row["detail"].startswith("SEARCH") and "dispatch_by_person" in row["detail"], row
    else:
        assert (row["key"], int(row["rows"])) == ("dispatch_by_person", 5), row
