"""Whoever replays is killed (SIGKILL) right after the commit: the replay is done once all the same, unattended."""

import json
import subprocess
from typing import Any

import pytest

from .service import Purchase, RunningService, dispatches, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PUBLISHED = "dispatch.committed"


def dead_ids(service: RunningService, order_number: str) -> list[str]:
    listed = json.loads(service.manage("deliveries", "--state", "dead", "--order", order_number, "--json").stdout)
    return [each["id"] for each in listed]


def settled_well(purchase: Purchase) -> dict[str, Any] | None:
    story = purchase.wait_until_settled()
    return story if story["succeeded"] else None


def test_a_replay_survives_the_death_of_whoever_asked_for_it(service: RunningService) -> None:
    service.fault(status=403, count=1, method="POST")
    purchase = Purchase(service)
    purchase.post()
    (key,) = until(lambda: dead_ids(service, purchase.order_number), what="a delivery is dead")
    service.light_fuse(PUBLISHED)
    died: subprocess.CompletedProcess[str] = service.manage("replay", key, "--why", "The LMS is back.", check=False)
    assert died.returncode == -9
    assert service.has_burnt(PUBLISHED)
    story = until(lambda: settled_well(purchase), what="the replay is done")
    purchase.assert_enrolled_once()
    deliveries = [each for sent in dispatches(story["dispatches"]) for each in sent["deliveries"]]
    replayed = next(each for each in deliveries if each["id"] == key)
    assert [(each["generation"], each["outcome"]) for each in replayed["attempts"]] == [(0, "dead"), (1, "succeeded")]
