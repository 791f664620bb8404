"""Processes are killed and the broker fails on the way of an event; what is accepted ends in effect, once, unattended.

Every named point, and every pair of them, is in crashes/, among the slow tests.
"""

import time
from collections.abc import Iterator

import pytest
import requests

from .conftest import only_services
from .service import Purchase, RunningService, until


@pytest.fixture(autouse=True)
def everything_runs(service: RunningService) -> Iterator[None]:
    for process in service.instance.processes.values():
        if not process.is_running:
            process.start()
    service.instance.wait_until_ready()
    yield


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_worker_killed_in_the_middle_of_an_lms_call(service: RunningService, when: str) -> None:
    service.fault(delay=3.0, count=1, when=when, method="POST")
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    until(lambda: service.calls(purchase.username), what="a call on the LMS")
    time.sleep(0.3)  # into the delay; the kill may come at any moment, no assertion hangs on this one
    service["worker"].kill()
    service["worker"].start()
    purchase.assert_in_effect_once()


def test_web_killed_between_commit_and_publish(service: RunningService) -> None:
    service.light_fuse("dispatch.committed@commerce_coordinator.plugins.stripe.signals.payment_captured")
    purchase = Purchase(service)
    with pytest.raises(requests.ConnectionError):
        purchase.post()
    # Nobody sends it again: what is committed goes its way all the same.
    purchase.assert_in_effect_once()
    # And when the provider does, as it got no answer, nothing is added.
    assert purchase.post().json() == {"status": "duplicate"}
    purchase.assert_in_effect_once()


@pytest.mark.parametrize("point", ["webhook.verified", "webhook.kept"])
def test_web_killed_before_commit_keeps_nothing_and_the_next_sending_everything(
    service: RunningService, point: str
) -> None:
    service.light_fuse(point)
    purchase = Purchase(service)
    with pytest.raises(requests.ConnectionError):
        purchase.post()
    service.instance.wait_until_ready()
    assert service.trace(purchase.event["id"]) is None
    assert purchase.post().json()["status"] == "sent"
    purchase.assert_in_effect_once()


def test_broker_away_at_the_post_and_back_later(service: RunningService) -> None:
    purchase = Purchase(service)
    broker = service.instance.data / "broker"
    if service.redis:
        service.redis.stop()
    else:
        service["worker"].kill()
        broker.rename(broker.with_name("broker-away"))
        broker.touch()  # where the folder was is a file: nothing can be published
    try:
        assert purchase.post().status_code == 200
        story = service.trace(purchase.event["id"])
        assert story is not None and not story["settled"]
    finally:
        if service.redis:
            service.redis.start()
        else:
            broker.unlink()
            broker.with_name("broker-away").rename(broker)
            service["worker"].start()
    purchase.assert_in_effect_once()


def test_broker_wiped_with_messages_in_it(service: RunningService) -> None:
    service["worker"].kill()
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    if service.redis:
        service.redis.wipe()
    else:
        queue = service.instance.data / "broker" / "queue"
        for message in until(lambda: list(queue.iterdir()), what="a message in the broker"):
            message.unlink(missing_ok=True)
    service["worker"].start()
    purchase.assert_in_effect_once()


@only_services  # files do not freeze
def test_broker_frozen_does_not_keep_a_provider_waiting(service: RunningService) -> None:
    assert service.redis is not None
    purchase = Purchase(service)
    service.redis.freeze()
    try:
        assert purchase.post().status_code == 200
    finally:
        service.redis.thaw()
    purchase.assert_in_effect_once()
