"""GET under /api/v1/: who may read the record, what a filter finds, what stays hidden, what is told of a row."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from commerce_coordinator.console.models import OperatorRights
from commerce_coordinator.core import trace
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent

from .api_calls import Caller
from .test_admin_rows import PRIVATE, SEAT_SOLD, attempt, dispatch, stage, story  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LISTS = ("events/", "dispatches/", "deliveries/", "dead-letters/")


@pytest.fixture
def reader() -> Caller:
    return Caller("read")


def ids(answer: Any) -> list[str]:
    return [each["id"] for each in answer["results"]]


def keys(*rows: Any) -> list[str]:
    return [str(row.pk) for row in rows]


# --- Who may ---


def addresses() -> list[str]:
    told = story()
    rows = (("events", told.event), ("dispatches", told.sold), ("deliveries", told.venue))
    return [*LISTS, *(f"{name}/{row.pk}/" for name, row in rows), "traces/EDX-1/"]


def test_staff_without_the_right_is_told_how_to_come_by_it() -> None:
    for path in addresses():
        answer = Caller().get(path, status=403)
        assert "manage.py grant USERNAME read" in answer["error"]["message"]


def test_right_alone_without_the_staff_mark_opens_nothing() -> None:
    for path in addresses():
        Caller("read", name="learner", staff=False).get(path, status=403)
        assert Client().get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize("right", ["read", "replay"])
def test_readers_and_operators_read_all(right: str) -> None:
    for path in addresses():
        Caller(right).get(path)


def test_right_to_see_private_values_alone_opens_nothing() -> None:
    for path in addresses():
        Caller("private").get(path, status=403)


def test_superuser_reads_with_his_session() -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    for path in addresses():
        assert client.get(f"/api/v1/{path}").status_code == 200
    assert OperatorRights._meta.managed is False


# --- What a filter finds ---


def test_events_are_found_by_each_filter(reader: Caller) -> None:
    events = [story(number).event for number in range(1, 4)]
    InboxEvent.objects.filter(pk=events[1].pk).update(state="failed", provider="other", account="b")
    newest_first = keys(*reversed(events))
    assert ids(reader.get("events/")) == newest_first
    for query in ({"state": "failed"}, {"provider": "other"}, {"account": "b"}, {"event_id": "evt_2"}):
        assert ids(reader.get("events/", **query)) == keys(events[1]), query
    assert ids(reader.get("events/", trace_id=f"{2:032x}", state="failed", provider="other")) == keys(events[1])
    assert ids(reader.get("events/", event_id="evt_2", state="sent")) == []
    assert ids(reader.get("events/", since="1h", state="sent")) == keys(events[2], events[0])
    assert ids(reader.get("events/", until="1h")) == []
    assert ids(reader.get("events/", provider=" ")) == newest_first  # an empty one counts for nothing


def test_dispatches_are_found_by_each_filter(reader: Caller) -> None:
    told = [story(number) for number in range(1, 4)]
    unrouted = dispatch(SEAT_SOLD, 9, unrouted=True)
    assert ids(reader.get("dispatches/", signal="shop.signals.seat_sold")) == keys(
        unrouted, *(each.sold for each in reversed(told))
    )
    assert ids(reader.get("dispatches/", subject="EDX-2")) == keys(told[1].reserved, told[1].sold)
    assert ids(reader.get("dispatches/", person="person-2", signal=SEAT_SOLD)) == keys(told[1].sold)
    assert ids(reader.get("dispatches/", unrouted="true")) == keys(unrouted)
    assert ids(reader.get("dispatches/", unrouted="true", subject="EDX-1")) == []
    assert ids(reader.get("dispatches/", unrouted="false", subject="EDX-1", trace_id=f"{1:032x}")) == keys(
        told[0].reserved, told[0].sold
    )
    assert ids(reader.get("dispatches/", event=told[2].event.pk, unrouted="false")) == keys(told[2].sold)


def test_deliveries_are_found_by_each_filter(reader: Caller) -> None:
    told = [story(number) for number in range(1, 4)]
    dead = keys(*(each.venue for each in reversed(told)))
    for query in (
        {"state": "dead"},
        {"receiver": "shop.tasks.tell_venue"},
        {"state": "dead", "receiver": "shop.tasks.tell_venue"},
        {"error": "GiveUp"},
        {"error": "GiveUp", "signal": "shop.signals.seat_reserved"},
    ):
        assert ids(reader.get("deliveries/", **query)) == dead, query
    assert ids(reader.get("deliveries/", subject="EDX-2")) == keys(told[1].ticket, told[1].venue, told[1].reserve)
    for query in ({"person": "person-2"}, {"trace_id": f"{2:032x}"}, {"trace_id": f"{2:032x}", "subject": "EDX-2"}):
        assert ids(reader.get("deliveries/", state="dead", **query)) == dead[1:2], query
    assert ids(reader.get("deliveries/", subject="EDX-2", person="person-3")) == []
    assert ids(reader.get("deliveries/", state="succeeded", receiver="shop.tasks.reserve_seat", since="1d")) == keys(
        *(each.reserve for each in reversed(told))
    )


def test_dead_letters_are_one_list(reader: Caller) -> None:
    told = story()
    failed = InboxEvent.objects.create(
        provider="shop", event_id="evt_9", event_type="seat.sold", state="failed", reason="No price.", trace_id="9" * 32
    )
    unrouted = dispatch(SEAT_SOLD, 9, unrouted=True)
    answer = reader.get("dead-letters/")
    assert [(each["kind"], each["id"], each["state"], each["why"]) for each in answer["results"]] == [
        ("dispatch", str(unrouted.pk), "unrouted", "The map routed it to nobody."),
        ("event", str(failed.pk), "failed", "No price."),
        ("delivery", str(told.venue.pk), "dead", "GiveUp"),
    ]
    assert ids(reader.get("dead-letters/", kind="event")) == keys(failed)
    assert ids(reader.get("dead-letters/", subject="EDX-1", receiver="shop.tasks.tell_venue")) == keys(told.venue)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"recever": "x"}, "There is no such filter. There are: "),
        ({"since": "yesterday"}, "an age such as 90m, 24h or 7d"),
        ({"since": "999999d"}, "an age such as 90m, 24h or 7d"),
        ({"until": "0001-01-01T00:00+14:00"}, "an age such as 90m, 24h or 7d"),
        ({"cursor": "2"}, "`next` of an answer carries"),
        ({"page_size": "0"}, "A whole number, 1 or more."),
    ],
    ids=str,
)
def test_wrong_value_is_named_with_what_would_be_right(
    reader: Caller, path: str, query: dict[str, str], says: str
) -> None:
    answer = reader.get(path, status=400, **query)
    (name,) = query
    assert says in answer["error"]["fields"][name][0]


def test_every_wrong_filter_is_named_at_once(reader: Caller) -> None:
    told = {"state": "gone", "receiver": "tell_venu", "signal": "seat_sold", "order": "EDX-1"}
    fields = reader.get("deliveries/", status=400, **told)["error"]["fields"]
    assert set(fields) == set(told)
    assert "it must be one of pending, running, succeeded, dead, cancelled" in fields["state"][0]
    assert "must be true or false" in str(reader.get("dispatches/", status=400, unrouted="1"))
    assert "a UUID" in str(reader.get("dispatches/", status=400, event="evt_1"))


@pytest.mark.needs_plugins("fulfillment")
def test_receiver_may_be_named_as_lists_show_it(reader: Caller) -> None:
    assert reader.get("deliveries/", receiver="fulfillment.place_order")["results"] == []


@pytest.mark.parametrize("moment", ["1960-01-01", "0001-01-01", "9999-12-31T23:59"])
def test_time_of_another_age_is_an_answer_too(reader: Caller, moment: str) -> None:
    told = story()
    found = ids(reader.get("events/", since=moment))
    assert found == ([] if moment.startswith("9") else keys(told.event))


# --- Single rows ---


def test_event_is_told_in_full(reader: Caller) -> None:
    told = story()
    answer = reader.get(f"events/{told.event.pk}/")
    assert (answer["event_id"], answer["state"], answer["body_kept"]) == ("evt_1", "sent", True)
    assert answer["dispatches"] == [{"id": str(told.sold.pk), "signal": SEAT_SOLD, "subject": "EDX-1"}]


def test_dispatch_is_told_in_full(reader: Caller) -> None:
    told = story()
    answer = reader.get(f"dispatches/{told.sold.pk}/")
    assert (answer["event"], answer["parent"], answer["person"]) == (str(told.event.pk), None, "person-1")
    assert [(each["id"], each["state"]) for each in answer["deliveries"]] == [(str(told.reserve.pk), "succeeded")]


def test_delivery_is_told_in_full(reader: Caller) -> None:
    told = story()
    answer = reader.get(f"deliveries/{told.venue.pk}/")
    assert (answer["state"], answer["signal"], answer["subject"]) == ("dead", "shop.signals.seat_reserved", "EDX-1")
    assert (answer["next_attempt_at"], answer["settled_at"]) == (None, "2026-03-01T12:00:00.123456Z")
    (tried,) = answer["attempts"]
    assert (tried["outcome"], tried["error"]) == ("dead", "GiveUp")
    assert tried["calls"][0] == {
        "at": "2026-03-01T12:00:00.1Z",
        "method": "GET",
        "path": "/venue/seats/A1",
        "status": 404,
        "ms": 12.5,
    }
    assert reader.get(f"deliveries/{told.ticket.pk}/")["next_attempt_at"] is not None


def test_only_the_newest_attempts_are_told_and_in_order(reader: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commerce_coordinator.console.api.reading.MOST_LINKED", 2)
    told = story()
    for number in (2, 3):
        attempt(told.venue, Attempt.Outcome.LOST, number=number)
    assert [each["number"] for each in reader.get(f"deliveries/{told.venue.pk}/")["attempts"]] == [2, 3]


def test_what_operators_did_is_told(reader: Caller) -> None:
    told = story()
    OperatorAct.objects.create(kind="replayed", delivery=told.venue, who="ada", origin="web", why="Ada asked.")
    (act,) = reader.get(f"deliveries/{told.venue.pk}/")["acts"]
    assert (act["who"], act["origin"], act["why"]) == ("ada", "web", "•••")
    (act,) = Caller("read", "private").get(f"deliveries/{told.venue.pk}/")["acts"]
    assert act["why"] == "Ada asked."


@pytest.mark.parametrize("path", ["events", "dispatches", "deliveries"])
def test_row_that_is_not_there_is_404(reader: Caller, path: str) -> None:
    other = story().sold if path != "dispatches" else story().event
    answer = reader.get(f"{path}/{other.pk}/", status=404)
    assert answer["error"]["code"] == "not_found"
    assert reader.get(f"{path}/evt_1/", status=404) == answer
    assert reader.get("events/" + InboxEvent.objects.get().pk.hex + "/")["event_id"] == "evt_1"


def test_private_values_are_shown_to_those_alone_who_may_see_them(reader: Caller) -> None:
    told = story()
    paths = {
        "body": f"events/{told.event.pk}/",
        "payload": f"dispatches/{told.sold.pk}/",
        "error": f"deliveries/{told.venue.pk}/",
    }
    all_of_it = str([reader.get(path) for path in (*LISTS, *paths.values(), "traces/EDX-1/")])
    assert not [value for value in PRIVATE.values() if value in all_of_it]
    assert reader.get(paths["payload"])["payload"]["buyers"] == [{"name": "•••", "country": "NZ"}]
    assert reader.get(paths["error"])["error_text"] == "•••"
    privy = Caller("read", "private", name="privy")
    for name, path in paths.items():
        assert PRIVATE[name] in str(privy.get(path)), name


def test_emptied_body_is_null(reader: Caller) -> None:
    told = story()
    InboxEvent.objects.update(raw_body=None, body_kept=False)
    answer = reader.get(f"events/{told.event.pk}/")
    assert (answer["body"], answer["body_kept"]) == (None, False)


# --- Traces ---


@pytest.mark.parametrize("pick", ["event", "sold", "venue", "reserved"])
def test_trace_is_found_by_any_row_of_it(reader: Caller, pick: str) -> None:
    told = story()
    (found,) = reader.get(f"traces/{getattr(told, pick).pk}/")
    assert found["event"]["event_id"] == "evt_1"
    (sold,) = found["dispatches"]
    assert sold["deliveries"][0]["attempts"][0]["sent"][0]["id"] == str(told.reserved.pk)
    assert (found["settled"], found["succeeded"]) == (False, False)


def test_trace_is_not_found_by_a_name_whoever_asks(reader: Caller) -> None:
    """An address stands in logs; and whose id a name is, is no answer for whoever may see no names."""
    get_user_model().objects.create(username="ann.learner", lms_user_id=77)
    dispatch(SEAT_SOLD, 1, person="77")
    assert len(reader.get("traces/77/")) == 1
    for caller in (reader, Caller("read", "private", name="auditor")):
        caller.get("traces/ann.learner/", status=404)


def test_trace_that_is_too_wide_is_cut_and_says_so(reader: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    told = story()
    Delivery.objects.update(state="succeeded")
    (whole,) = reader.get(f"traces/{told.event.pk}/")
    assert (whole["settled"], whole["succeeded"], whole["cut"]) == (True, True, False)
    monkeypatch.setattr(trace, "MOST_DELIVERIES", 1)
    (found,) = reader.get(f"traces/{told.event.pk}/")
    assert (found["settled"], found["succeeded"], found["cut"]) == (False, False, True)
    ((reserve,),) = [each["deliveries"] for each in found["dispatches"]]
    assert [each["deliveries"] for attempt in reserve["attempts"] for each in attempt["sent"]] == [[]]


def test_trace_that_is_not_there_is_404(reader: Caller) -> None:
    assert "retention" in reader.get("traces/EDX-404/", status=404)["error"]["message"]


def test_lists_hold_rows_of_all_three_tables() -> None:
    """The tests above would be green of an empty record too."""
    story()
    assert (InboxEvent.objects.count(), Dispatch.objects.count(), Delivery.objects.count()) == (1, 2, 3)
