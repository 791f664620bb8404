"""`manage.py replay --filter`: what it would do, then it, and who did it; nothing that was not meant."""

import getpass
from typing import Any

import pytest
import time_machine

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.deliveries.publish import publisher
from commerce_coordinator.core.inbox.models import InboxEvent

from .test_admin_rows import AT, SEAT_RESERVED, delivery, dispatch, stage  # noqa: F401
from .typed import Typed

pytestmark = [pytest.mark.django_db, pytest.mark.database]

State = Delivery.State


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What went to the broker."""
    kept: list[Any] = []
    monkeypatch.setattr(publisher, "publish", lambda messages, **options: kept.extend(messages) or len(messages))
    return kept


def dead(number: int, error: str = "Retry") -> Delivery:
    sold = dispatch(SEAT_RESERVED, number, payload={"seat": "A1"})
    return delivery(sold, "send_mail", state=State.DEAD, error_class=error)


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_dry_run_says_what_would_happen_and_does_nothing(published: list[Any]) -> None:
    rows = [dead(1), dead(2, error="GiveUp"), dead(3)]
    shown = Typed("replay", "--filter", "error=Retry", "--dry-run")
    assert [line.partition(":")[0] for line in shown.lines] == [str(rows[2].pk), str(rows[0].pk)]
    assert "It runs again with the same payload" in shown.out
    assert shown.err.splitlines() == [
        "2 × delivery shop.send_mail (Retry)",
        "Nothing was done. 2 of 2 would be.",
    ]
    assert shown.failure == ""
    assert states() == ["dead"] * 3
    assert published == []
    assert not OperatorAct.objects.exists()


def test_it_replays_what_matches_and_keeps_who_and_why(published: list[Any]) -> None:
    dead(1), dead(2, error="GiveUp"), dead(3)
    shown = Typed("replay", "--filter", "error=Retry", "--why", "The mail server is back.")
    assert (len(shown.lines), shown.failure) == (2, "")
    assert states() == ["pending", "dead", "pending"]
    assert len(published) == 2
    acts = OperatorAct.objects.values_list("who", "why", "origin", "kind", "generation")
    assert set(acts) == {(getpass.getuser(), "The mail server is back.", "command", "replayed", 1)}


def test_what_dies_again_meanwhile_is_left_for_a_look() -> None:
    with time_machine.travel(AT, tick=False):
        row = dead(1)
        Delivery.objects.filter(pk=row.pk).update(settled_at="2026-03-01T12:00:01Z")
        assert Typed("replay", "--filter", "error=Retry").err == "No dead letter matches.\n"
    assert states() == ["dead"]


def test_set_aside_by_filter_leaves_nothing_waiting() -> None:
    dead(1)
    InboxEvent.objects.create(provider="shop", event_id="evt_f", event_type="t", state="failed")
    dispatch("shop.signals.nobody_wants", 3, unrouted=True)
    asked = Typed("replay", "--filter", "since=7d", "--set-aside", "--dry-run")
    assert "Nothing was done. 3 of 3 would be." in asked.err
    assert Typed("replay", "--filter", "since=7d", "--set-aside").failure == ""
    assert (states(), InboxEvent.objects.get().state) == (["cancelled"], "ignored")
    assert not Dispatch.objects.filter(unrouted=True).exists()
    refused = Typed("replay", str(Delivery.objects.get().pk), "--set-aside")
    assert refused.failure == "1 of 1 not set aside."
    assert "is cancelled, not dead" in refused.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Give ids, or --filter"),
        (["some-id", "--filter", "error=Retry"], "one of the two"),
        (["--filter", "error"], "--filter takes NAME=VALUE, and 'error' is none"),
        (["--filter", "error=A", "error=B"], "--filter has error twice"),
        (["--filter", "colour=red"], "There is no filter 'colour'"),
        (["--filter", "kind=letter"], "must be one of delivery, event, dispatch"),
        (["--filter", "receiver=lms.enrol_learners"], "No receiver is named 'lms.enrol_learners'"),
        (["--filter", "error=Retry", "--force"], "none of them succeeded"),
    ],
    ids=str,
)
def test_a_command_that_makes_no_sense_is_refused(arguments: list[str], says: str, published: list[Any]) -> None:
    dead(1)
    shown = Typed("replay", *arguments)
    assert says in shown.failure
    assert (states(), published) == (["dead"], [])


def test_programs_get_one_object_for_each() -> None:
    row = dead(1)
    Dispatch.objects.update(payload=None)
    shown = Typed("replay", "--filter", "error=Retry", "--json")
    (told,) = shown.json
    assert (told["id"], told["replayed"]) == (str(row.pk), False)
    assert "has no payload" in told["message"]
    assert shown.failure == "1 of 1 not replayed."


def test_without_a_pair_all_dead_letters_are_meant() -> None:
    dead(1)
    InboxEvent.objects.create(provider="shop", event_id="evt_f", event_type="t", state="failed")
    assert "Nothing was done. 1 of 2 would be." in Typed("replay", "--filter", "--dry-run").err
