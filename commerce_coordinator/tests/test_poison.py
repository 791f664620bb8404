"""A delivery that kills its worker each time ends dead after its attempts, and delays no other."""

import json

import pytest

from .service import Purchase, RunningService, dispatches

pytestmark = pytest.mark.slow

ATTEMPTS = 3  # of poison.tasks.drink
BOTTLE = "EDX-POISON"

OPEN_THE_BOTTLE = f"""
from commerce_coordinator.tests.poison.signals import bottle_opened
bottle_opened.send_robust(sender="test", bottle="{BOTTLE}")
"""


@pytest.fixture(scope="module")
def more_env() -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "commerce_coordinator.tests.poison.settings"}


def poisoned(service: RunningService) -> dict[str, str]:
    """The delivery, as operators see it."""
    [delivery] = json.loads(service.manage("deliveries", "--order", BOTTLE, "--json").stdout)
    found: dict[str, str] = delivery
    return found


def test_poison_is_dead_after_its_attempts_and_purchases_go_through_meanwhile(service: RunningService) -> None:
    service.manage("shell", "-v0", "-c", OPEN_THE_BOTTLE)
    settled_meanwhile = 0
    while True:
        purchase = Purchase(service)
        assert purchase.post().status_code == 200
        story = purchase.assert_in_effect_once()
        if poisoned(service)["state"] == "dead":
            break
        settled_meanwhile += 1
        deliveries = [each for dispatch in dispatches(story["dispatches"]) for each in dispatch["deliveries"]]
        outcomes = [[attempt["outcome"] for attempt in each["attempts"]] for each in deliveries]
        assert outcomes == [["succeeded"]] * 9, "no attempt of another was lost with the process"
    assert settled_meanwhile >= 3

    delivery = poisoned(service)
    assert (delivery["attempts"], delivery["error_class"]) == (ATTEMPTS, "LeaseExpired")
    story = service.trace(BOTTLE)
    assert story is not None
    [attempts] = [each["attempts"] for dispatch in story["dispatches"] for each in dispatch["deliveries"]]
    assert [attempt["outcome"] for attempt in attempts] == ["lost"] * ATTEMPTS
    assert len(service.lines_with("signal 9 (SIGKILL)")) >= ATTEMPTS, "processes of the pool really died of it"
    assert service["worker"].is_running
