"""POST /api/v1/signals/<name>/send/: who may, what is taken, what is answered, and that it is recorded once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from commerce_coordinator.console.chores import forget_old_keys
from commerce_coordinator.console.models import IdempotencyKey
from commerce_coordinator.core.deliveries import chores
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.signals.tests.plugin_of_a_test import TestPlugin, plugin_of_a_test
from commerce_coordinator.core.testing import run_deliveries
from commerce_coordinator.core.testing.database_faults import inserts_fail
from commerce_coordinator.payloads.base import Payload, PrivateText

# Constraints and letter case differ between databases; these promises do not.
pytestmark = pytest.mark.database

SOLD = {"order": "EDX-1", "rows": [7, 8], "day": "2026-03-01", "name": "Ada Lovelace"}


class SeatSold(Payload):
    order: str
    rows: tuple[int, ...] = ()
    day: date | None = None
    name: PrivateText = ""


@pytest.fixture
def shop() -> Iterator[TestPlugin]:
    with plugin_of_a_test() as shop:
        yield shop


@pytest.fixture
def seat_sold(shop: TestPlugin) -> Any:
    return shop.signal("seat_sold", SeatSold, subject="order")


@pytest.fixture(autouse=True)
def counted_afresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def as_account(who: str, **claims: Any) -> dict[str, str]:
    return as_user(who, lms_user_id=sum(map(ord, who)), **{"staff": True, **claims})


def post(
    name: str = "test_shop.seat_sold", payload: Any = SOLD, *, who: str = "till", staff: bool = True, **headers: str
) -> Any:
    token = as_account(who, staff=staff)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    body = payload if isinstance(payload, str) else json.dumps({"payload": payload})
    return Client().post(
        f"/api/v1/signals/{name}/send/", body, content_type="application/json", headers={**token, **sent}
    )


# --- What is recorded, and answered ---


@pytest.mark.django_db
def test_signal_is_recorded_and_its_receivers_run(shop: TestPlugin, seat_sold: Any) -> None:
    seen: list[Any] = []

    @shop.task
    def print_ticket(order: str, rows: Any, day: Any) -> None:
        seen.append((order, rows, day))

    @shop.receiver
    def note(order: str, sender: Any) -> None:
        seen.append((order, sender))

    with shop.routed(seat_sold=["print_ticket", "note"]):
        answer = post(payload=json.dumps({"payload": SOLD, "sender": "till 3"}))
        assert seen == [("EDX-1", "till 3")]
        run_deliveries()
    assert seen[1:] == [("EDX-1", (7, 8), date(2026, 3, 1))]
    dispatch = Dispatch.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "dispatch": str(dispatch.pk),
        "new": True,
        "deliveries": [{"receiver": each.receiver, "id": str(each.pk)} for each in Delivery.objects.order_by("id")],
        "trace_id": dispatch.trace_id,
    }
    assert (dispatch.origin, dispatch.sender, dispatch.subject) == ("api", "till 3", "EDX-1")
    assert (dispatch.parent_id, dispatch.attempt_id, dispatch.event_id) == (None, None, None)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"succeeded"}


@pytest.mark.django_db
def test_sender_that_is_not_named_is_the_account_by_its_number(seat_sold: Any) -> None:
    post()
    from django.contrib.auth import get_user_model

    assert Dispatch.objects.get().sender == f"account:{get_user_model().objects.get(username='till').pk}"


@pytest.mark.django_db
def test_receiver_that_fails_is_not_the_callers_failure(shop: TestPlugin, seat_sold: Any) -> None:
    @shop.receiver
    def fail(**values: Any) -> None:
        raise RuntimeError("on purpose")

    with shop.routed(seat_sold=["fail"]):
        assert post().status_code == 202
    assert Delivery.objects.get().state == "dead"


@pytest.mark.django_db
def test_foreign_traceparent_is_not_taken_over(seat_sold: Any) -> None:
    """Whoever sends one trace id twice would tie two stories together."""
    assert post(traceparent=f"00-{'a' * 32}-{'b' * 16}-01").json()["trace_id"] != "a" * 32


@pytest.mark.django_db
def test_sending_costs_few_statements(seat_sold: Any, django_assert_max_num_queries: Any) -> None:
    post()  # makes the account
    with django_assert_max_num_queries(5):  # the account; BEGIN, dispatch, end of it
        assert post().status_code == 202


# --- Names ---


@pytest.mark.django_db
def test_short_name_finds_the_signal(shop: TestPlugin) -> None:
    shop.keep("signals", None)
    with plugin_of_a_test("north.seats.signals") as north:
        north.signal("seat_sold", SeatSold)
        assert post("seats.seat_sold").status_code == 202
        assert Dispatch.objects.get().signal == "north.seats.signals.seat_sold"
        with plugin_of_a_test("south.seats.signals") as south:
            south.signal("seat_sold", SeatSold)
            answer = post("seats.seat_sold")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ambiguous_signal")
            assert "south.seats.signals.seat_sold" in answer.json()["error"]["message"]
            assert post("south.seats.signals.seat_sold").status_code == 202


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["test_shop.seat_gone", "seat_sold", "commerce_coordinator.core", "é", "%00", "."])
def test_name_of_no_signal_is_404(seat_sold: Any, name: str) -> None:
    answer = post(name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


# --- What is taken ---


@pytest.mark.django_db
def test_payload_that_does_not_fit_is_told_by_field_and_reason_without_values(seat_sold: Any) -> None:
    answer = post(payload={"order": "EDX-1", "rows": ["Ada"], "name": 5, "hunter": "Ada Lovelace"})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_payload"
    assert set(error["fields"]) == {"rows.0", "name", "hunter"}
    assert error["fields"]["hunter"] == ["Extra inputs are not permitted"]
    assert "Ada" not in answer.content.decode()
    assert not Dispatch.objects.exists()


@pytest.mark.django_db
def test_signal_without_a_contract_takes_any_object(shop: TestPlugin) -> None:
    shop.signal("anything_happened")
    assert post("test_shop.anything_happened", {"a": [1, {"b": None}]}).status_code == 202
    assert Dispatch.objects.get().payload == {"a": [1, {"b": None}]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "payload"),
        ('{"payload": [1]}', "payload"),
        ('{"payload": null}', "payload"),
        ('{"payload": {}, "sender": 5.5e, "x": 1}', None),
        ('{"payload": {}, "sender": null}', "sender"),
        ('{"payload": {}, "sendr": "x"}', "non_field_errors"),
        ("[]", "non_field_errors"),
        ("no JSON", None),
        ('{"payload": {"order": "\\u0000"}}', None),
    ],
)
def test_body_of_another_shape_is_400(seat_sold: Any, body: str, field: str | None) -> None:
    answer = post(payload=body)
    assert answer.status_code == 400
    assert list(answer.json()["error"].get("fields", [None])) == [field]


@pytest.mark.django_db
def test_body_that_is_too_large_or_no_json_is_refused(seat_sold: Any) -> None:
    assert post(payload={"order": "x" * (1024 * 1024)}).status_code == 413
    form = Client().post("/api/v1/signals/test_shop.seat_sold/send/", {"a": "b"}, headers=as_account("till"))
    assert form.status_code == 415


# --- Who may ---


@pytest.mark.django_db
def test_staff_and_services_may_and_nobody_else(seat_sold: Any) -> None:
    url, body = "/api/v1/signals/test_shop.seat_sold/send/", json.dumps({"payload": SOLD})
    assert Client().post(url, body, content_type="application/json").status_code == 401
    assert post(who="amina", staff=False).status_code == 403
    restricted = as_account("till", is_restricted=True)
    assert Client().post(url, body, content_type="application/json", headers=restricted).status_code == 403
    assert not Dispatch.objects.exists()
    assert post().status_code == 202


@pytest.mark.django_db
def test_service_is_never_throttled(seat_sold: Any, settings: Any) -> None:
    settings.CC_THROTTLE_USER = "1/d"
    assert [post().status_code for _ in range(3)] == [202] * 3


@pytest.mark.django_db
def test_api_that_is_no_origin_takes_nothing(seat_sold: Any, settings: Any) -> None:
    settings.CC_SIGNAL_ORIGINS = ["web", "worker", "command"]
    answer = post()
    assert answer.status_code == 403
    assert "CC_SIGNAL_ORIGINS" in answer.json()["error"]["message"]


# --- Once ---


@pytest.mark.django_db
def test_same_key_is_the_same_sending(shop: TestPlugin, seat_sold: Any) -> None:
    ran: list[str] = []

    @shop.receiver
    def note(order: str) -> None:
        ran.append(order)

    with shop.routed(seat_sold=["note"]):
        first, again = post(Idempotency_Key="B-1").json(), post(Idempotency_Key="B-1").json()
    assert first == {**again, "new": True}
    assert again["new"] is False
    assert (Dispatch.objects.count(), ran) == (1, ["EDX-1"])


@pytest.mark.django_db
def test_same_key_with_another_payload_is_refused(seat_sold: Any) -> None:
    post(Idempotency_Key="B-1")
    answer = post(payload={"order": "EDX-2"}, Idempotency_Key="B-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert Dispatch.objects.count() == 1


@pytest.mark.django_db
def test_key_is_the_accounts_and_the_signals_own(shop: TestPlugin, seat_sold: Any) -> None:
    shop.signal("seat_given", SeatSold)
    calls = [post(Idempotency_Key="B-1"), post(Idempotency_Key="b-1"), post(who="other till", Idempotency_Key="B-1")]
    calls.append(post("test_shop.seat_given", Idempotency_Key="B-1"))
    assert [call.json()["new"] for call in calls] == [True] * 4


@pytest.mark.django_db
def test_business_key_does_its_part(shop: TestPlugin) -> None:
    shop.signal("order_placed", SeatSold, unique_by=["order"])
    first = post("test_shop.order_placed", {"order": "EDX-1"}).json()
    again = post("test_shop.order_placed", {"order": "EDX-1"}, Idempotency_Key="B-1").json()
    assert (again["new"], again["dispatch"]) == (False, first["dispatch"])
    # The key is taken from now on, though its sending added nothing.
    assert post("test_shop.order_placed", {"order": "EDX-2"}, Idempotency_Key="B-1").status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 256, "é", " ", "a\tb"])
def test_key_that_is_none_is_refused(seat_sold: Any, key: str) -> None:
    answer = post(Idempotency_Key=key)
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db(transaction=True)
def test_calls_that_race_with_one_key_are_one_sending(seat_sold: Any) -> None:
    post(payload={"order": "makes the account"})

    def call(_: int) -> Any:
        try:
            return post(Idempotency_Key="B-1").json()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(call, range(6)))
    assert len({answer["dispatch"] for answer in answers}) == 1
    assert [answer["new"] for answer in answers].count(True) == 1
    assert Dispatch.objects.filter(subject="EDX-1").count() == 1


@pytest.mark.django_db
def test_database_that_is_away_is_503_and_the_next_call_records(seat_sold: Any) -> None:
    post()
    with inserts_fail(IdempotencyKey, OperationalError("away")):
        answer = post(Idempotency_Key="B-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert Dispatch.objects.count() == 1
    assert post(Idempotency_Key="B-1").json()["new"] is True


@pytest.mark.django_db
def test_neither_key_nor_payload_is_kept_in_the_table_of_keys(seat_sold: Any) -> None:
    post(Idempotency_Key="ada@example.com")
    kept = str(IdempotencyKey.objects.values().get())
    # Nothing shorter is looked for: digests are hexadecimal, and sooner or later one of them spells "ada".
    assert "example" not in kept and SOLD["order"] not in kept


@pytest.mark.django_db
def test_keys_are_forgotten_when_stories_are(shop: TestPlugin, seat_sold: Any) -> None:
    @shop.receiver
    def note(order: str) -> None:
        pass

    with shop.routed(seat_sold=["note"]):
        first = post(Idempotency_Key="B-1").json()
        Dispatch.objects.update(created_at=timezone.now() - timedelta(days=django_settings.CC_RETENTION_DAYS + 1))
        chores.prune()
        # The story is gone and the key is not: still the same sending.
        again = post(Idempotency_Key="B-1").json()
        assert again == {"dispatch": first["dispatch"], "new": False, "deliveries": [], "trace_id": ""}
        assert forget_old_keys() == 0
        with time_machine.travel(timezone.now() + timedelta(days=django_settings.CC_RETENTION_DAYS + 1), tick=False):
            assert forget_old_keys() == 1
        assert post(Idempotency_Key="B-1").json()["new"] is True
