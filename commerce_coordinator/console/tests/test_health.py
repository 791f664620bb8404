"""What anybody may see: what this is, and whether it is well. The database alone decides about 503."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError, connections
from django.test import Client
from kombu import Connection

from commerce_coordinator import __version__
from commerce_coordinator.console import health
from commerce_coordinator.console.supervisor import free_port
from commerce_coordinator.core.deliveries import publish
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, Heartbeat
from commerce_coordinator.core.deliveries.relay import RELAY_HEARTBEAT, Relay
from commerce_coordinator.core.deliveries.tasks import WORKER_HEARTBEAT, canary
from commerce_coordinator.core.inbox import refusals as inbox_refusals
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.refusals import refusals

pytestmark = [pytest.mark.django_db, pytest.mark.database]

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def get(path: str = "/health/") -> Any:
    return Client().get(path)


def seconds_ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def dispatch(**values: Any) -> Dispatch:
    row = Dispatch(signal="shop.signals.seat_sold", origin="web", map_hash="", trace_id="0" * 32, span_id="", **values)
    row.dedupe_key = row.pk.hex
    row.save(force_insert=True)
    return row


def delivery(**values: Any) -> Delivery:
    row = Delivery(dispatch=dispatch(), receiver="shop.tasks.reserve_seat", kind=Delivery.Kind.TASK, **values)
    row.save(force_insert=True)
    return row


def event(number: int, state: str) -> InboxEvent:
    return InboxEvent.objects.create(provider="shop", event_id=f"evt_{number}", event_type="x", state=state)


def refused(client: Client, **headers: str) -> None:
    answer = client.post("/stripe/webhook/", b"{}", content_type="application/json", headers=headers)
    assert answer.status_code == 400


# --- Well or not ---


def test_service_that_is_well_says_so() -> None:
    Relay().tick()
    canary(NOON.timestamp())
    answer = get()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "database": "ok",
        "broker": "ok",
        "relay": {"state": "ok", "seconds_ago": 0.0},
        "workers": {"state": "ok", "seconds_ago": 0.0},
        "oldest_due_seconds": 0,
        "attention": {"dead_deliveries": 0, "failed_events": 0, "unrouted_dispatches": 0},
        "webhooks_refused_last_hour": {},
    }


def test_web_node_stays_in_when_everything_but_the_database_is_down(monkeypatch) -> None:
    # Whoever took it out would refuse events that it can keep.
    def nobody_there(self: Any) -> Connection:
        options = {"socket_connect_timeout": 0.05, "socket_timeout": 0.05}
        return Connection(f"redis://127.0.0.1:{free_port()}/0", transport_options=options)

    monkeypatch.setattr(publish.Publisher, "_connection", nobody_there)
    Heartbeat.objects.create(name=WORKER_HEARTBEAT, beat_at=seconds_ago(86400))
    answer = get()
    assert answer.status_code == 200
    told = answer.json()
    assert (told["database"], told["broker"]) == ("ok", "away")
    assert told["relay"] == {"state": "never seen"}
    assert told["workers"] == {"state": "unknown", "seconds_ago": 86400.0}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ProgrammingError, DatabaseError])
def test_web_node_without_its_database_is_taken_out(monkeypatch, error: type[Exception]) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise error("Can't connect to MySQL server on 'db.internal' as 'cc_user'")

    monkeypatch.setattr(connections["default"], "cursor", away)
    answer = get()
    assert answer.status_code == 503
    assert answer.json() == {"database": "away", "error": error.__name__}
    assert "internal" not in answer.content.decode()


def test_database_that_goes_away_between_two_questions_is_away(monkeypatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(health, "_count", away)
    assert get().status_code == 503


def test_broker_is_asked_only_where_it_matters(monkeypatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(publish.Publisher, "ping", lambda self: asked.append(True) or True)
    monkeypatch.setattr(connections["default"], "cursor", lambda *_, **__: (_ for _ in ()).throw(OperationalError))
    get()
    assert asked == []


# --- Relay and workers ---


@pytest.mark.parametrize("name", [RELAY_HEARTBEAT, WORKER_HEARTBEAT])
@pytest.mark.parametrize(
    ("age", "state"),
    [(0, "ok"), (10, "ok"), (44.9, "ok"), (45, "silent"), (3600, "silent")],
)
def test_part_is_silent_when_several_signs_of_life_are_missing(name: str, age: float, state: str) -> None:
    Heartbeat.objects.create(name=RELAY_HEARTBEAT, beat_at=NOON)
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": seconds_ago(age)})
    told = get().json()["relay" if name == RELAY_HEARTBEAT else "workers"]
    assert told == {"state": state, "seconds_ago": age}


def test_part_that_never_gave_a_sign_was_never_seen() -> None:
    assert get().json()["relay"] == {"state": "never seen"}
    Heartbeat.objects.create(name=RELAY_HEARTBEAT, beat_at=NOON)
    assert get().json()["workers"] == {"state": "never seen"}


@pytest.mark.parametrize("relay", [None, 45])
def test_silence_of_workers_tells_nothing_while_no_relay_asks_them(relay: float | None) -> None:
    if relay is not None:
        Heartbeat.objects.create(name=RELAY_HEARTBEAT, beat_at=seconds_ago(relay))
    assert get().json()["workers"] == {"state": "unknown"}
    beat = Heartbeat.objects.create(name=WORKER_HEARTBEAT, beat_at=seconds_ago(46))
    assert get().json()["workers"] == {"state": "unknown", "seconds_ago": 46.0}
    beat.beat_at = seconds_ago(44)
    beat.save()
    assert get().json()["workers"] == {"state": "ok", "seconds_ago": 44.0}


def test_signs_of_life_of_chores_are_nobody_elses() -> None:
    Heartbeat.objects.create(name="chore:x.prune", beat_at=NOON)
    assert get().json()["relay"] == {"state": "never seen"}


# --- What is due, and what waits for an operator ---


def test_age_of_the_oldest_that_is_due_is_told() -> None:
    delivery(wake_at=seconds_ago(5))
    delivery(wake_at=seconds_ago(90.25))
    delivery(wake_at=NOON + timedelta(hours=1))
    delivery(wake_at=None, state=Delivery.State.SUCCEEDED)
    assert get().json()["oldest_due_seconds"] == pytest.approx(90.2, abs=0.1)


def test_what_waits_for_a_retry_is_not_late() -> None:
    in_a_second = NOON + timedelta(seconds=1)
    delivery(next_attempt_at=in_a_second, wake_at=in_a_second)
    assert get().json()["oldest_due_seconds"] == 0


def test_what_no_worker_takes_is_late_however_often_the_relay_published_it() -> None:
    delivery(next_attempt_at=seconds_ago(20), wake_at=NOON + timedelta(minutes=10), wakes=7)
    delivery(next_attempt_at=seconds_ago(80), wake_at=NOON + timedelta(minutes=10), wakes=7)
    delivery(next_attempt_at=seconds_ago(900), wake_at=None, state=Delivery.State.DEAD)
    assert get().json()["oldest_due_seconds"] == 80.0
    delivery(next_attempt_at=seconds_ago(30), wake_at=seconds_ago(100))
    assert get().json()["oldest_due_seconds"] == 100.0


def test_looking_for_what_is_late_stops_before_it_walks_a_long_table(monkeypatch) -> None:
    monkeypatch.setattr(health, "COUNT_UP_TO", 2)
    for age in (10, 20, 30):
        delivery(next_attempt_at=seconds_ago(age), wake_at=NOON + timedelta(minutes=10))
    assert get().json()["oldest_due_seconds"] == 20.0


def test_everything_that_waits_for_an_operator_is_counted() -> None:
    for state in Delivery.State.values:
        delivery(state=state)
    delivery(state=Delivery.State.DEAD)
    for number, state in enumerate(["sent", "ignored", "failed", "failed", "failed"]):
        event(number, state)
    dispatch(unrouted=True)
    assert get().json()["attention"] == {"dead_deliveries": 2, "failed_events": 3, "unrouted_dispatches": 1}
    assert get().status_code == 200


def test_counting_stops_before_it_walks_a_long_table(monkeypatch) -> None:
    monkeypatch.setattr(health, "COUNT_UP_TO", 2)
    for _ in range(4):
        delivery(state=Delivery.State.DEAD)
    assert get().json()["attention"]["dead_deliveries"] == 2


def test_looking_costs_the_same_however_much_there_is(django_assert_num_queries) -> None:
    for _ in range(3):
        delivery(state=Delivery.State.DEAD, wake_at=seconds_ago(1))
    with django_assert_num_queries(7):
        get()


def test_nothing_of_a_row_is_told() -> None:
    delivery(state=Delivery.State.DEAD, error_text="ann@example.com is unknown")
    assert "ann" not in get().content.decode()
    assert "reserve_seat" not in get().content.decode()


# --- How it may be asked ---


@pytest.mark.parametrize("path", ["/", "/health/"])
def test_it_is_for_reading(path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert Client(enforce_csrf_checks=False).generic(method, path).status_code == 405
    head = Client().head(path)
    assert (head.status_code, head.content) == (200, b"")


def test_health_is_never_cached() -> None:
    assert "no-store" in get()["Cache-Control"]


def test_health_needs_no_session_and_sets_no_cookie() -> None:
    assert get().cookies == {}


def test_health_answers_a_load_balancer_without_tls(settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^health/$"]
    assert get().status_code == 200


# --- The index ---


def test_index_says_what_this_is_and_where_to_go_next() -> None:
    answer = get("/")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["service"], told["version"]) == ("Commerce Coordinator", __version__)
    assert told["what"].endswith(".")
    links = {"health": "/health/", "admin": "/admin/", "api_docs": "/api-docs/"}
    assert told["links"] == {name: f"http://testserver{path}" for name, path in links.items()}
    for link in told["links"].values():
        assert Client().get(link).status_code in (200, 302)


def test_both_are_laid_out_for_people() -> None:
    for path in ("/", "/health/"):
        text = get(path).content.decode()
        assert text == json.dumps(json.loads(text), indent=2)


@pytest.mark.django_db
def test_health_is_answered_whatever_the_host(settings, client) -> None:
    settings.ALLOWED_HOSTS = ["coordinator.example.com"]
    assert client.get("/health/", headers={"host": "10.1.2.3"}).status_code == 200
    assert client.get("/", headers={"host": "10.1.2.3"}).status_code == 400


# --- Refused webhooks ---


@pytest.mark.needs_plugins("stripe")
def test_webhooks_refused_in_the_last_hour_are_counted_by_provider_and_code(monkeypatch) -> None:
    client = Client()
    for _ in range(3):
        refused(client)
    refused(client, Stripe_Signature="t=1,v1=no")
    # The first was written at once; who asks when ten seconds are over sees them all.
    assert get().json()["webhooks_refused_last_hour"] == {"stripe": {"signature_missing": 1}}
    monkeypatch.setattr(inbox_refusals, "WRITE_EVERY", 0)
    refusals._not_before = 0
    told = get().json()["webhooks_refused_last_hour"]
    assert told == {"stripe": {"signature_invalid": 1, "signature_missing": 3}}
    with time_machine.travel(NOON + timedelta(minutes=61), tick=False):
        assert get().json()["webhooks_refused_last_hour"] == {}
