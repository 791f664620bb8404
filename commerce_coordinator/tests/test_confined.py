"""A purchase through real processes, signals being confined to the web processes: workers send through the API."""

from typing import Any

import pytest

from .service import Purchase, RunningService, dispatches


@pytest.fixture(scope="module", params=["embedded"])
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def more_env() -> dict[str, str]:
    return {"CC_SIGNAL_ORIGINS": "web,api"}


def sent_by_attempts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Dispatches that hang below an attempt, at any depth."""
    attempts = [
        attempt
        for dispatch in dispatches(found)
        for delivery in dispatch["deliveries"]
        for attempt in delivery["attempts"]
    ]
    return [dispatch for attempt in attempts for dispatch in attempt["sent"]]


def assert_all_in_one_story(story: dict[str, Any]) -> None:
    """The event's own dispatch is the web's; all others came over the API and hang below what sent them."""
    [first] = story["dispatches"]
    assert first["origin"] == "web"
    nested = [each for each in dispatches(story["dispatches"]) if each is not first]
    assert {each["origin"] for each in nested} == {"api"}
    assert sorted(each["id"] for each in sent_by_attempts(story["dispatches"])) == sorted(each["id"] for each in nested)


def test_purchase_ends_as_three_enrolments_with_signals_of_the_web_processes_only(service: RunningService) -> None:
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    story = purchase.assert_in_effect_once()
    assert_all_in_one_story(story)
    assert not service.lines_with("SendingConfined"), service.tail()


def test_worker_that_dies_after_the_api_recorded_sends_nothing_twice(service: RunningService) -> None:
    service.light_fuse("signal.sent@commerce_coordinator.plugins.fulfillment.signals.order_placed")
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    story = purchase.assert_in_effect_once()
    assert service.has_burnt("signal.sent@commerce_coordinator.plugins.fulfillment.signals.order_placed")
    place_order = story["dispatches"][0]["deliveries"][0]
    assert [attempt["outcome"] for attempt in place_order["attempts"]] == ["lost", "succeeded"]
    assert_all_in_one_story(story)


@pytest.mark.slow
def test_worker_that_dies_while_the_api_is_at_work_sends_nothing_twice(service: RunningService) -> None:
    """The request is out, the answer not read: the web process records for a sender that is gone."""
    service.light_fuse("client.during_call@POST")
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    purchase.assert_in_effect_once()
    assert service.has_burnt("client.during_call@POST")
