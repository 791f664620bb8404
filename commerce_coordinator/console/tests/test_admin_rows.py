"""Rows for the tests of the admin, and what must hold of them: one story through all four tables."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from pydantic import Field

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.payloads.base import Payload, PrivateText

SEAT_SOLD = "shop.signals.seat_sold"
SEAT_RESERVED = "shop.signals.seat_reserved"
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

#: What only eyes with the permission may see, each in a place of its own.
PRIVATE = {"body": "body-secret-name", "payload": "payload-secret-name", "error": "error-secret-name"}


class Buyer(Payload):
    """Somebody who bought a seat."""

    name: PrivateText
    country: str


class SeatSold(Payload):
    """A seat was sold."""

    order_number: str
    buyers: Annotated[tuple[Buyer, ...], Field(min_length=1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Story:
    """event -> sold -> reserve_seat (succeeded, sent on) -> reserved -> tell_venue (dead), send_ticket (pending)."""

    event: InboxEvent
    sold: Dispatch
    reserve: Delivery
    reserve_attempt: Attempt
    reserved: Dispatch
    venue: Delivery
    venue_attempt: Attempt
    ticket: Delivery


def story(number: int = 1) -> Story:
    """A whole story of its own, with a trace id, an order and a person told by the number."""
    event = InboxEvent.objects.create(
        provider="shop",
        event_id=f"evt_{number}",
        event_type="seat.sold",
        state=InboxEvent.State.SENT,
        raw_body=b'{"id": "evt", "buyer": "%s"}' % PRIVATE["body"].encode(),
        trace_id=f"{number:032x}",
    )
    sold = dispatch(SEAT_SOLD, number, event=event, payload=payload(number))
    reserve = delivery(sold, "reserve_seat", state=Delivery.State.SUCCEEDED)
    reserve_attempt = attempt(reserve, Attempt.Outcome.SUCCEEDED)
    reserved = dispatch(SEAT_RESERVED, number, parent=reserve, attempt=reserve_attempt, payload={"seat": "A1"})
    venue = delivery(reserved, "tell_venue", state=Delivery.State.DEAD, error_class="GiveUp")
    ticket = delivery(reserved, "send_ticket", state=Delivery.State.PENDING, error_class="Retry")
    attempt(ticket, Attempt.Outcome.RETRY, error_class="Retry")
    return Story(
        event=event,
        sold=sold,
        reserve=reserve,
        reserve_attempt=reserve_attempt,
        reserved=reserved,
        venue=venue,
        venue_attempt=attempt(venue, Attempt.Outcome.DEAD, error_class="GiveUp"),
        ticket=ticket,
    )


def payload(number: int) -> dict[str, object]:
    return {"order_number": f"EDX-{number}", "buyers": [{"name": PRIVATE["payload"], "country": "NZ"}]}


def dispatch(signal: str, number: int, **values: object) -> Dispatch:
    return Dispatch.objects.create(
        **{  # type: ignore[arg-type]
            "signal": signal,
            "dedupe_key": f"key-{number}",
            "subject": f"EDX-{number}",
            "person": f"person-{number}",
            "origin": Dispatch.Origin.WEB,
            "map_hash": "0" * 16,
            "trace_id": f"{number:032x}",
            "span_id": "1" * 16,
            "created_at": AT,
            **values,
        }
    )


def delivery(dispatch: Dispatch, name: str, **values: object) -> Delivery:
    settled = values.get("state") in (Delivery.State.SUCCEEDED, Delivery.State.DEAD)
    row = Delivery(
        **{  # type: ignore[arg-type]
            "dispatch": dispatch,
            "receiver": f"shop.tasks.{name}",
            "kind": Delivery.Kind.TASK,
            "attempts": 1,
            "error_text": PRIVATE["error"] if values.get("error_class") else "",
            "next_attempt_at": AT + timedelta(minutes=5),
            "settled_at": AT if settled else None,
            "created_at": AT,
            **values,
        }
    )
    row.idempotency_key = row.pk.hex
    row.save(force_insert=True)
    return row


def attempt(delivery: Delivery, outcome: str, **values: object) -> Attempt:
    return Attempt.objects.create(
        **{  # type: ignore[arg-type]
            "delivery": delivery,
            "generation": 0,
            "number": 1,
            "outcome": outcome,
            "worker": "host:1",
            "error_text": PRIVATE["error"] if values.get("error_class") else "",
            "calls": [
                {"method": "GET", "path": "/venue/seats/A1", "status": 404, "ms": 12.5, "at": "2026-03-01T12:00:00.1Z"},
                {"method": "POST", "path": "/venue/seats", "error": "ReadTimeout", "ms": 2000.0, "span_id": "ab"},
            ],
            "started_at": AT,
            "ended_at": AT + timedelta(milliseconds=2040),
            **values,
        }
    )


def client_of(*permissions: str, superuser: bool = False) -> Client:
    """A browser in which a member of staff with these permissions is logged in."""
    user = get_user_model().objects.create_user(
        username="-".join(permissions) or "somebody", is_staff=True, is_superuser=superuser
    )
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


VIEW_ALL = (
    "inbox.view_inboxevent",
    "deliveries.view_dispatch",
    "deliveries.view_delivery",
    "deliveries.view_attempt",
)


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The shop's contract is known, and nobody misses the static files."""
    monkeypatch.setitem(contracts._contracts, SEAT_SOLD, SeatSold)
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.mark.django_db
def test_the_rights_of_operators_can_be_granted() -> None:
    codenames = set(Permission.objects.filter(content_type__app_label="console").values_list("codename", flat=True))
    assert codenames == {"view_private", "replay"}


@pytest.mark.django_db
def test_a_story_goes_through_all_four_tables() -> None:
    told = story()
    assert told.venue.dispatch.parent.dispatch.event == told.event  # type: ignore[union-attr]
    assert told.reserved.attempt.delivery == told.reserve  # type: ignore[union-attr]
