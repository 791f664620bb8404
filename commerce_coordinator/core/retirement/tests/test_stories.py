"""Which rows are a learner's, and which only stand near."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from commerce_coordinator.core.deliveries.erasing import ERASED, ERASED_TEXT
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.retirement import stories
from commerce_coordinator.core.retirement.rooms import Person
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as, run_deliveries
from commerce_coordinator.payloads.base import Payload, PrivateText

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ANN = Person(lms_user_id=1313, names=frozenset({"ann"}))


class Sold(Payload):
    order_number: str = ""
    lms_user_id: int | None = None
    username: PrivateText = ""


class Batch(Payload):
    learners: tuple[Sold, ...]


sold = CoordinatorSignal(Sold, subject="order_number", person="lms_user_id", name=f"{__name__}.sold")
wished = CoordinatorSignal(
    Sold, person="lms_user_id", unique_by=("username", "order_number"), name=f"{__name__}.wished"
)
imported = CoordinatorSignal(Batch, name=f"{__name__}.imported")
noted = CoordinatorSignal(name=f"{__name__}.noted", person="lms_user_id")
paid_back: list[str] = []


@delivery_task
def pay_back(*, order_number: str) -> None:
    paid_back.append(order_number)


@delivery_task
def seat(*, username: str) -> None: ...


@delivery_task(sends=[sold])
def sell_each(*, learners: tuple[Sold, ...]) -> None:
    for each in learners:
        sold.send_robust(sender=sell_each, **each.model_dump())


@pytest.fixture(autouse=True)
def routed() -> Iterator[None]:
    paid_back.clear()
    routes = {
        sold.name: [pay_back.name, seat.name],
        wished.name: [],
        imported.name: [sell_each.name],
        noted.name: [],
    }
    with routes_as(routes):
        yield


def send(signal: CoordinatorSignal, **values: Any) -> Dispatch:
    return signal.record("test", values).dispatch


def username_of(dispatch: Dispatch) -> str:
    dispatch.refresh_from_db()
    name: str = dispatch.payload["username"]
    return name


def test_money_that_needs_no_name_still_goes_back() -> None:
    send(sold, order_number="EDX-1", lms_user_id=1313, username="ann")
    stories.erase(ANN)
    states = dict(Delivery.objects.values_list("receiver", "state"))
    assert states == {pay_back.name: "pending", seat.name: "dead"}
    run_deliveries()
    assert paid_back == ["EDX-1"]


def test_rows_of_the_same_order_without_an_id_are_hers() -> None:
    send(sold, order_number="EDX-1", lms_user_id=1313, username="ann")
    nameless = send(sold, order_number="EDX-1", username="Ann")
    stories.erase(ANN)
    assert username_of(nameless) == ERASED


def test_row_that_calls_another_by_name_is_his() -> None:
    send(sold, order_number="EDX-1", lms_user_id=1313, username="ann")
    bens = send(sold, order_number="EDX-1", username="ben")
    others = send(sold, order_number="EDX-1", lms_user_id=7, username="ann")
    stories.erase(ANN)
    assert (username_of(bens), username_of(others)) == ("ben", "ann")


def test_batch_of_many_learners_loses_nobody_else() -> None:
    batch = send(imported, learners=[{"lms_user_id": 1313, "username": "ann"}, {"lms_user_id": 7, "username": "ben"}])
    run_deliveries()
    stories.erase(ANN)
    batch.refresh_from_db()
    assert [each["username"] for each in batch.payload["learners"]] == ["ann", "ben"]
    assert list(
        Dispatch.objects.filter(signal=sold.name).order_by("pk").values_list("payload__username", flat=True)
    ) == [
        ERASED,
        "ben",
    ]


def test_row_without_an_id_is_found_by_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories, "_SEARCHED", 2)
    rows = [send(sold, username=name) for name in ("ben", "ann", "carl", "Ann", "dora")]
    place: str | None = ""
    while place is not None:
        place = stories.search([Person(lms_user_id=7), ANN], place)
    assert [username_of(each) for each in rows] == ["ben", ERASED, "carl", ERASED, "dora"]


def test_business_key_that_names_her_goes_and_others_stay() -> None:
    hers, order = send(wished, lms_user_id=1313, username="ann"), send(sold, lms_user_id=1313, username="ann")
    key = order.dedupe_key
    assert "ann" in hers.dedupe_key
    stories.erase(ANN)
    hers.refresh_from_db()
    order.refresh_from_db()
    assert (hers.dedupe_key, order.dedupe_key) == (f"retired:{hers.pk.hex}", key)


def test_payload_that_no_contract_explains_goes_whole() -> None:
    row = send(noted, lms_user_id=1313, anything="ann")
    Dispatch.objects.filter(pk=row.pk).update(person="1313")
    stories.erase(ANN)
    assert Dispatch.objects.filter(pk=row.pk, payload__isnull=True, person="").exists()


def test_what_was_called_and_what_was_answered_goes() -> None:
    row = send(sold, lms_user_id=1313, username="ann")
    delivery = row.deliveries.get(receiver=pay_back.name)
    now = timezone.now()
    attempt = Attempt.objects.create(
        delivery=delivery,
        generation=0,
        number=1,
        outcome="retry",
        error_class="Retry",
        error_text="ann is away",
        calls=[{"method": "GET", "path": "/users/ann", "status": 503}],
        started_at=now,
        ended_at=now,
    )
    Delivery.objects.filter(pk=delivery.pk).update(error_text="ann is away")
    stories.erase(ANN)
    attempt.refresh_from_db()
    delivery.refresh_from_db()
    assert (attempt.error_class, attempt.error_text, attempt.calls) == ("Retry", ERASED_TEXT, [])
    assert delivery.error_text == ERASED_TEXT


def test_event_of_hers_is_emptied_and_stays() -> None:
    event = InboxEvent.objects.create(
        provider="p", event_id="evt_1", event_type="t", state="sent", raw_body=b"ann", trace_id="t"
    )
    row = send(sold, lms_user_id=1313, username="ann")
    Dispatch.objects.filter(pk=row.pk).update(event=event)
    stories.erase(ANN)
    event.refresh_from_db()
    assert (event.raw_body, event.body_kept, event.event_id) == (None, False, "evt_1")
