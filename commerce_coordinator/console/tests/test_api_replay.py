"""POST under /api/v1/: replay and set aside need a right of their own, are done once, and are written down."""

import logging
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from commerce_coordinator.console import acting
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.webhooks import WebhookView
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test

from .api_calls import Caller
from .test_admin_replay import failed_event, published, shop  # noqa: F401
from .test_admin_rows import SEAT_SOLD, dispatch, stage, story  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.database]

State = Delivery.State


@pytest.fixture
def operator() -> Caller:
    return Caller("replay", name="operator")


def paths() -> list[str]:
    told = story()
    rows = {"events": told.event, "dispatches": told.sold, "deliveries": told.venue}
    acts = [f"{name}/{row.pk}/{act}/" for name, row in rows.items() for act in ("replay", "set-aside")]
    return [*acts, "dead-letters/replay/"]


# --- Who may ---


def test_right_to_read_is_no_right_to_replay(published: list[Any]) -> None:  # noqa: F811
    for path in paths():
        for rights in ((), ("read",), ("read", "private")):
            answer = Caller(*rights, name="-".join(rights) or "nobody").post(path, {"filter": {}}, status=403)
            assert "manage.py grant USERNAME replay" in answer["error"]["message"]
        Caller("replay", name="learner", staff=False).post(path, {"filter": {}}, status=403)
        assert Client().post(f"/api/v1/{path}").status_code == 401
    assert (published, OperatorAct.objects.count()) == ([], 0)


def test_restricted_token_of_an_operator_replays_nothing(operator: Caller) -> None:
    told = story()
    headers = as_user("operator", staff=True, lms_user_id=sum(map(ord, "operator")), is_restricted=True)
    assert Client().post(f"/api/v1/deliveries/{told.venue.pk}/replay/", headers=headers).status_code == 403


# --- One row ---


def test_dead_delivery_is_replayed_and_it_is_written_down(
    operator: Caller,
    published: list[Any],  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = story()
    with caplog.at_level(logging.INFO):
        answer = operator.post(f"deliveries/{told.venue.pk}/replay/", {"why": "The venue is back."})
    assert (answer["kind"], answer["id"], answer["state"], answer["generation"]) == (
        "delivery",
        str(told.venue.pk),
        "pending",
        1,
    )
    assert published == [("shop.tasks.tell_venue", (told.venue.pk.hex,))]
    act = OperatorAct.objects.get()
    assert (act.delivery, act.kind, act.who, act.origin, act.why) == (
        told.venue,
        "replayed",
        "operator",
        "api",
        "The venue is back.",
    )
    (line,) = [each for each in caplog.records if each.getMessage() == "Delivery replayed through the API."]
    assert line.__dict__["delivery"] == str(told.venue.pk)
    assert not [value for value in line.__dict__.values() if value in ("operator", "The venue is back.")]


def test_second_of_two_calls_is_a_conflict(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    path = f"deliveries/{story().venue.pk}/replay/"
    operator.post(path)
    error = operator.post(path, status=409)["error"]
    assert error["code"] == "not_replayable"
    assert "is pending, not dead" in error["message"]
    assert (len(published), OperatorAct.objects.count()) == (1, 1)


def test_call_with_a_generation_is_done_once_for_ever(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    told = story()
    path, body = f"deliveries/{told.reserve.pk}/replay/", {"force": True, "generation": 0}
    operator.post(path, body)
    Delivery.objects.filter(pk=told.reserve.pk).update(state=State.SUCCEEDED)  # a quick worker
    assert "its generation is 1, not 0" in operator.post(path, body, status=409)["error"]["message"]
    assert len(published) == 1


def test_what_succeeded_takes_force(operator: Caller) -> None:
    told = story()
    path = f"deliveries/{told.reserve.pk}/replay/"
    assert "That takes force." in operator.post(path, status=409)["error"]["message"]
    assert operator.post(path, {"force": True})["state"] == "pending"
    assert OperatorAct.objects.get().kind == "forced"


def test_unrouted_dispatch_is_routed(operator: Caller) -> None:
    with plugin_of_a_test() as plugin:
        signal = plugin.signal("seat_sold")
        row = dispatch(signal.name, 1, unrouted=True, payload={})
        path = f"dispatches/{row.pk}/replay/"
        assert "still routes" in operator.post(path, status=409)["error"]["message"]

        @plugin.task
        def print_ticket(**values: Any) -> None:
            """Prints it."""

        with plugin.routed(seat_sold=["print_ticket"]):
            assert operator.post(path)["state"] == "routed"
        assert "is not unrouted" in operator.post(path, status=409)["error"]["message"]
    assert row.deliveries.count() == 1


def test_failed_event_is_read_again(operator: Caller, shop: Any) -> None:  # noqa: F811
    row, path = failed_event(), "events/{}/replay/"
    shop.mended = False
    answer = operator.post(path.format(row.pk))
    assert (answer["state"], "buyers is missing." in answer["message"]) == ("failed", True)
    shop.mended = True
    assert operator.post(path.format(row.pk))["state"] == "sent"
    assert "only failed and ignored" in operator.post(path.format(row.pk), status=409)["error"]["message"]
    shop.refuses = True
    InboxEvent.objects.filter(pk=row.pk).update(state="failed")
    assert "not JSON" in operator.post(path.format(row.pk), status=409)["error"]["message"]
    WebhookView.by_provider.pop("shop")
    assert "No installed plugin" in operator.post(path.format(row.pk), status=409)["error"]["message"]


def test_dead_letters_are_set_aside_once(operator: Caller) -> None:
    told, unrouted, failed = story(), dispatch(SEAT_SOLD, 9, unrouted=True), failed_event()
    for path, state in (
        (f"deliveries/{told.venue.pk}", "cancelled"),
        (f"dispatches/{unrouted.pk}", "routed"),
        (f"events/{failed.pk}", "ignored"),
    ):
        assert operator.post(f"{path}/set-aside/", {"why": "Done by hand."})["state"] == state
        assert operator.post(f"{path}/set-aside/", status=409)["error"]["code"] == "not_replayable"
    assert set(OperatorAct.objects.values_list("kind", "why", "origin")) == {("set aside", "Done by hand.", "api")}
    assert OperatorAct.objects.count() == 3


@pytest.mark.parametrize("act", ["replay", "set-aside"])
def test_row_of_another_kind_is_404(operator: Caller, act: str) -> None:
    told = story()
    for path in (f"events/{told.venue.pk}", f"dispatches/{told.venue.pk}", f"deliveries/{told.sold.pk}"):
        operator.post(f"{path}/{act}/", status=404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"why": "x" * 256}, "why"),
        ({"force": "perhaps"}, "force"),
        ({"generation": -1}, "generation"),
        ({"generation": 10**30}, "generation"),
        ({"forced": True}, "forced"),
        ({"force": "yes"}, "force"),
        ({"force": 1}, "force"),
        ([], "non_field_errors"),
    ],
    ids=str,
)
def test_wrong_body_replays_nothing(operator: Caller, published: list[Any], body: Any, field: str) -> None:  # noqa: F811
    path = f"deliveries/{story().venue.pk}/replay/"
    sent = Client().post(f"/api/v1/{path}", body, content_type="application/json", headers=operator.headers)
    assert sent.status_code == 400
    assert set(sent.json()["error"]["fields"]) == {field}
    assert published == []


# --- By filter ---


def found(operator: Caller, **body: Any) -> Any:
    return operator.post("dead-letters/replay/", {"filter": {}, **body})


def test_without_being_told_it_only_says_what_it_would_do(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    told = [story(number) for number in range(1, 4)]
    Dispatch.objects.filter(pk=told[0].reserved.pk).update(payload=None)
    unrouted = dispatch(SEAT_SOLD, 9, unrouted=True)
    answer = found(operator, limit=3)
    assert answer["dry_run"] is True
    assert answer["groups"] == [
        {"kind": "delivery", "what": "shop.tell_venue", "why": "GiveUp", "count": 3},
        {"kind": "dispatch", "what": "shop.seat_sold", "why": "", "count": 1},
    ]
    assert [(each["id"], each["outcome"]) for each in answer["outcomes"]] == [
        (str(told[1].venue.pk), "would be replayed"),
        (str(told[2].venue.pk), "would be replayed"),
        (str(unrouted.pk), "refused"),
    ]
    assert answer["next"] == str(told[1].venue.pk)
    assert found(operator, cursor=answer["next"])["outcomes"][0]["message"].startswith(f"Delivery {told[0].venue.pk}")
    assert (published, OperatorAct.objects.count()) == ([], 0)


def test_all_that_match_are_replayed_each_by_itself(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    told = [story(number) for number in range(1, 4)]
    Dispatch.objects.filter(pk=told[1].reserved.pk).update(payload=None)
    answer = found(operator, filter={"receiver": "shop.tasks.tell_venue"}, dry_run=False, why="The venue is back.")
    assert [each["outcome"] for each in answer["outcomes"]] == ["replayed", "refused", "replayed"]
    assert "has no payload" in answer["outcomes"][1]["message"]
    assert answer["groups"] == [{"kind": "delivery", "what": "shop.tell_venue", "why": "GiveUp", "count": 3}]
    assert (len(published), answer["next"]) == (2, None)
    assert set(OperatorAct.objects.values_list("who", "origin", "why")) == {("operator", "api", "The venue is back.")}
    again = found(operator, filter={"receiver": "shop.tasks.tell_venue"}, dry_run=False)
    assert [each["outcome"] for each in again["outcomes"]] == ["refused"]


def test_what_died_after_the_question_is_left_alone(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    told = story()
    asked = found(operator, filter={"kind": "delivery"})
    story(2)  # it settled when the others did, so that is set to later here
    Delivery.objects.exclude(pk=told.venue.pk).filter(state=State.DEAD).update(settled_at="2100-01-01T00:00Z")
    answer = found(operator, filter=asked["filter"], dry_run=False)
    assert [each["id"] for each in answer["outcomes"]] == [str(told.venue.pk)]
    assert len(published) == 1


def test_rows_that_are_refused_do_not_hide_the_others(operator: Caller, published: list[Any]) -> None:  # noqa: F811
    told = [story(number) for number in range(1, 5)]
    Dispatch.objects.filter(pk__in=[each.reserved.pk for each in told[2:]]).update(payload=None)
    cursor, calls = None, 0
    while calls == 0 or cursor:
        cursor = found(operator, dry_run=False, limit=2, cursor=cursor)["next"]
        calls += 1
    assert (calls, len(published)) == (2, 2)


def test_event_that_fails_again_is_told_as_refused(operator: Caller, shop: Any) -> None:  # noqa: F811
    failed_event()
    shop.mended = False
    answer = found(operator, filter={"kind": "event", "provider": "shop"}, dry_run=False)
    assert [(each["outcome"], "buyers is missing." in each["message"]) for each in answer["outcomes"]] == [
        ("refused", True)
    ]


@pytest.mark.parametrize(
    ("filter", "name", "says"),
    [
        ({"recever": "x"}, "recever", "There are: kind, provider, signal, receiver"),
        ({"kind": "order"}, "kind", "it must be one of delivery, event, dispatch"),
        pytest.param(
            {"receiver": "fulfillment.place_ordr"},
            "receiver",
            "fulfillment.place_order",
            marks=pytest.mark.needs_plugins("fulfillment"),
        ),
        ({"since": "soon"}, "since", "90m, 24h or 7d"),
    ],
    ids=str,
)
def test_wrong_filter_is_named_with_what_would_be_right(
    operator: Caller, filter: dict[str, str], name: str, says: str
) -> None:
    error = operator.post("dead-letters/replay/", {"filter": filter, "dry_run": False}, status=400)["error"]
    assert says in error["fields"][name][0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filter": {}, "limit": 501},
        {"filter": {}, "limit": 0},
        {"filter": "all"},
        *({"filter": {}, "dry_run": no} for no in ("no", "off", "false", 0, "", None)),
    ],
    ids=str,
)
def test_wrong_wish_replays_nothing(operator: Caller, body: dict[str, Any]) -> None:
    story()
    operator.post("dead-letters/replay/", {"dry_run": False, **body}, status=400)
    assert Delivery.objects.filter(state=State.DEAD).count() == 1


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (IntegrityError, 200)])
def test_database_that_is_away_ends_the_call_and_a_fault_of_one_row_does_not(
    operator: Caller, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    rows = [story(number).venue for number in (1, 2)]
    real = acting.replay

    def replay(row: Any, **options: Any) -> str:
        if row.pk == rows[0].pk:
            raise error("Duplicate entry 'Ada Lovelace'")
        return real(row, **options)

    monkeypatch.setattr(acting, "replay", replay)
    answer = operator.post("dead-letters/replay/", {"filter": {}, "dry_run": False}, status=status)
    assert "Ada" not in str(answer)
    rows[1].refresh_from_db()
    assert (rows[1].state == State.PENDING) is (status == 200)
