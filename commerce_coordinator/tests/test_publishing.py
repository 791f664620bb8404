"""Publishing to a real Redis: as Celery would, but with connections that are kept and batches in one round trip."""

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import current_app

from commerce_coordinator.core.deliveries.publish import Publisher

from .service import RedisServer

pytestmark = [pytest.mark.service, pytest.mark.needs_redis]

TASK = "some.plugin.tasks.act"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def broker(server: RedisServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis[Any]"]:
    settings.CELERY_BROKER_URL = server.url
    settings.CC_PUBLISH_TRANSPORT_OPTIONS = {"socket_timeout": 2, "socket_connect_timeout": 2, "max_retries": 0}
    monkeypatch.setattr(current_app.conf, "broker_write_url", server.url)
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def publisher(broker: Any) -> Iterator[Publisher]:
    fresh = Publisher()
    yield fresh
    fresh._rest(Exception())  # closes its connections


def waiting(broker: Any) -> list[dict[str, Any]]:
    """The messages in the queue, oldest first."""
    return [json.loads(each) for each in reversed(broker.lrange("celery", 0, -1))]


def test_message_is_the_one_that_celery_would_have_sent(publisher: Publisher, broker: Any) -> None:
    assert publisher.publish([(TASK, ("0" * 32,))]) == 1
    with publisher._producer() as producer:  # the app's own pool may hold another test's broker
        current_app.send_task(TASK, args=("0" * 32,), producer=producer, retry=False)
    ours, celerys = waiting(broker)
    for message in (ours, celerys):
        headers, properties = message["headers"], message["properties"]
        assert headers.pop("id") == headers.pop("root_id") == properties.pop("correlation_id")
        # Both name the sender for people; Celery also writes the arguments out for them.
        del headers["argsrepr"], headers["origin"], properties["delivery_tag"], properties["reply_to"]
        arguments, named, follow_ups = json.loads(b64decode(message.pop("body")))
        assert (arguments, named, any(follow_ups.values())) == (["0" * 32], {}, False)
    assert ours == celerys


def test_messages_of_one_dispatch_arrive_in_order_and_each_once(publisher: Publisher, broker: Any) -> None:
    messages = [(TASK, (f"{number:032}",)) for number in range(250)]
    assert publisher.publish(messages) == 250
    arrived = [json.loads(b64decode(each["body"]))[0][0] for each in waiting(broker)]
    assert arrived == [arguments[0] for _, arguments in messages]
    assert len({each["headers"]["id"] for each in waiting(broker)}) == 250


def test_several_messages_do_not_take_a_round_trip_each(publisher: Publisher, broker: Any) -> None:
    publisher.publish([(TASK, ("0" * 32,))])
    before = broker.info("stats")["total_reads_processed"]
    publisher.publish([(TASK, ("0" * 32,))] * 50)
    assert broker.info("stats")["total_reads_processed"] - before < 10


def test_connection_is_kept_for_the_next_publishing(publisher: Publisher, broker: Any) -> None:
    publisher.publish([(TASK, ("0" * 32,))])
    ids = {client["id"] for client in broker.client_list()}
    for _ in range(5):
        publisher.publish([(TASK, ("0" * 32,))])
    assert {client["id"] for client in broker.client_list()} == ids


def test_connection_that_failed_is_not_used_again(publisher: Publisher, broker: Any, server: RedisServer) -> None:
    publisher.publish([(TASK, ("0" * 32,))])
    server.stop()
    assert publisher.publish([(TASK, ("1" * 32,))] * 2) == 0
    assert publisher.resting
    server.start()
    assert publisher.publish([(TASK, ("2" * 32,))]) == 0, "the broker is left in peace for a second"
    publisher.forget_failures()
    assert publisher.publish([(TASK, ("3" * 32,))]) == 1
    assert broker.llen("celery") == 1


def test_threads_publish_side_by_side(publisher: Publisher, broker: Any) -> None:
    with ThreadPoolExecutor(16) as pool:
        taken = pool.map(lambda number: publisher.publish([(TASK, (f"{number:032}",))] * 2), range(200))
        assert list(taken) == [2] * 200
    assert broker.llen("celery") == 400
    assert len(publisher._idle) <= 16


def test_forked_process_has_connections_of_its_own(publisher: Publisher, broker: Any, tmp_path: Path) -> None:
    publisher.publish([(TASK, ("0" * 32,))])
    child = os.fork()
    if not child:
        try:
            (tmp_path / "taken").write_text(str(publisher.publish([(TASK, ("1" * 32,))] * 3)))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "taken").read_text() == "3"
    assert publisher.publish([(TASK, ("2" * 32,))]) == 1
    assert broker.llen("celery") == 5
