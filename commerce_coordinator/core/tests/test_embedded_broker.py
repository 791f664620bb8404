"""The promises of the broker made of files. No Django in here; the processes are real ones."""

import errno
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ChannelError

from commerce_coordinator.core import embedded_broker

ROOT = Path(embedded_broker.__file__).parents[2]
PATIENCE = 20  # seconds until a wait is a failure; never a time to wait

embedded_broker.register()


def connect(folder):
    return Connection("embedded://", transport_options={"folder": str(folder)})


@pytest.fixture(name="connection")
def open_connection(tmp_path):
    with connect(tmp_path) as connection:
        yield connection


def publish(connection, *bodies, queue="q"):
    producer = connection.Producer(serializer="json")
    for body in bodies:
        producer.publish(body, routing_key=queue)


def take(connection, number, queue="q", acknowledge=True, **options):
    """Consume until that many messages came; returns [(body, message)]."""
    taken = []

    def keep(body, message):
        taken.append((body, message))
        if acknowledge:
            message.ack()

    with connection.Consumer([Queue(queue)], callbacks=[keep], **options):
        wait_until(lambda: len(taken) >= number or drain(connection))
    return taken


def bodies(taken):
    return [body for body, _ in taken]


def drain(connection):
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.01)


def wait_until(happened):
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def waiting(connection, queue="q"):
    return connection.default_channel.queue_declare(queue, passive=True).message_count


def names(folder):
    return sorted(file.name for file in Path(folder).iterdir())


@contextmanager
def process(*arguments, path=(), **environment):
    """A Python process in a session of its own, so that it can be killed with the children it has."""
    variables = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    variables["PYTHONPATH"] = os.pathsep.join(map(str, [ROOT, *path]))
    variables.update(environment)
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env=variables,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            kill(running)


def kill(running):
    if running.poll() is None:  # else its number may be somebody else's by now
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(PATIENCE)


# The transport without the project's Celery app, whose package would connect receivers that want Django's settings.
ALONE = f"""
import sys, types
package = sys.modules["commerce_coordinator"] = types.ModuleType("commerce_coordinator")
package.__path__ = [{str(ROOT / "commerce_coordinator")!r}]
from commerce_coordinator.core import embedded_broker
embedded_broker.register()
"""

PUBLISHER = """
from kombu import Connection
folder, who, number = sys.argv[1:]
with Connection("embedded://", transport_options={"folder": folder}) as connection:
    producer = connection.Producer(serializer="json")
    for each in range(int(number)):
        producer.publish([who, each], routing_key="q")
"""

CONSUMER = """
from kombu import Connection, Queue
taken = []
with Connection("embedded://", transport_options={"folder": sys.argv[1]}) as connection:
    with connection.Consumer([Queue("q")], callbacks=[lambda body, message: taken.append(message)]):
        while len(taken) < 3:
            connection.drain_events(timeout=20)
        taken[1].ack()
        print("three taken, the second acknowledged", flush=True)
        sys.stdin.read()
"""

HOLDER = """
import os
from pathlib import Path
folder = Path(sys.argv[1])
assert embedded_broker.lock_folder(folder) and not embedded_broker.lock_folder(folder)
if not os.fork():
    try:
        embedded_broker.lock_folder(folder)
    except embedded_broker.FolderInUse:
        print("the child is refused", flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
"""

APP = """
import os, time
from pathlib import Path
from celery import Celery

folder = Path(os.environ["TEST_FOLDER"])
app = Celery("tests", broker="embedded://", fixups=[])
app.conf.update(
    broker_transport_options={"folder": str(folder / "broker")},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_acks_late=True,
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=8,
)

@app.task(name="mark")
def mark(number):
    (folder / f"started-{number}").touch()
    while number == 5 and not (folder / "gate").exists():
        time.sleep(0.01)
    (folder / f"done-{number}").touch()
"""

WORKER = ("-m", "celery", "-A", "small_app", "worker", "-P", "prefork", "-c", "2", "-l", "WARNING")


def script(source, *arguments):
    return process("-c", ALONE + source, *arguments)


def celery_worker(folder):
    (folder / "small_app.py").write_text(ALONE + APP)
    return process(*WORKER, path=[folder], TEST_FOLDER=str(folder))


def test_messages_arrive_whole_and_in_order(connection):
    sent = [{"number": number, "text": "åß€ \n" * number} for number in range(60)]
    publish(connection, *sent)
    assert bodies(take(connection, 60)) == sent
    assert waiting(connection) == 0


def test_order_of_arrival_spans_processes_and_connections(connection, tmp_path):
    publish(connection, ["here", 0])
    with script(PUBLISHER, tmp_path, "there", 2) as other:
        assert other.wait(PATIENCE) == 0, other.stdout.read()
    with connect(tmp_path) as second:
        publish(second, ["here", 1])
    assert bodies(take(connection, 4)) == [["here", 0], ["there", 0], ["there", 1], ["here", 1]]


def test_a_half_written_message_is_never_read(connection, tmp_path, monkeypatch):
    """Stop a publisher at the last moment before its message appears: until then the queue is empty."""
    replace, seen = Path.replace, []

    def look_first(source, target):
        seen.append((waiting(connection), source.read_bytes()))
        replace(source, target)
        seen.append((waiting(connection), target.read_bytes()))

    monkeypatch.setattr(Path, "replace", look_first)
    publish(connection, "x" * 100_000)
    (before, written), (after, published) = seen
    assert (before, after) == (0, 1)
    assert written == published and len(published) > 100_000

    (tmp_path / "unfinished" / next(iter(names(tmp_path / "queue")))).write_bytes(b'{"body": "ha')
    assert len(bodies(take(connection, 1))) == 1 and waiting(connection) == 0
    assert names(tmp_path / "unreadable") == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"secret {",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"secret"',
        b'{"secret": 1}',
        b'{"properties": "secret"}',
        b'{"properties": {"body_encoding": "base64"}, "body": "x"}',
        b'{"properties": {"body_encoding": "rot13"}, "body": "x"}',
        b"[" * 100_000,
        None,  # a folder where a file should be
    ],
    ids=lambda content: repr(content)[:60],
)
def test_unreadable_files_are_put_aside_and_the_rest_goes_on(connection, tmp_path, caplog, content):
    publish(connection, "first", "second", "third")
    victim = tmp_path / "queue" / names(tmp_path / "queue")[1]
    victim.unlink()
    if content is None:
        victim.mkdir()
    else:
        victim.write_bytes(content)

    with caplog.at_level(logging.INFO):
        assert bodies(take(connection, 2)) == ["first", "third"]

    assert names(tmp_path / "unreadable") == [victim.name]
    assert names(tmp_path / "queue") == names(tmp_path / "in_flight") == []
    [record] = [record for record in caplog.records if record.name == embedded_broker.__name__]
    assert record.getMessage() == "Unreadable message put aside."
    assert (record.queue, record.message_file) == ("q", victim.name)
    assert "secret" not in str(vars(record))


def test_a_message_that_vanishes_stops_nothing(connection, tmp_path):
    publish(connection, *range(4))
    assert bodies(take(connection, 1)) == [0]  # the rest is listed by now
    (tmp_path / "queue" / names(tmp_path / "queue")[0]).unlink()
    assert bodies(take(connection, 2)) == [2, 3]


def test_a_message_is_gone_only_when_it_is_acknowledged(connection, tmp_path):
    publish(connection, "precious")
    [(_, message)] = take(connection, 1, acknowledge=False)
    assert names(tmp_path / "queue") == []
    assert names(tmp_path / "in_flight") == [message.delivery_tag]
    message.ack()
    assert names(tmp_path / "in_flight") == []


def test_messages_in_flight_of_a_killed_consumer_are_delivered_again(connection, tmp_path):
    publish(connection, *range(5))
    with script(CONSUMER, tmp_path) as consumer:
        assert consumer.stdout.readline().startswith("three taken")
        kill(consumer)
    assert len(names(tmp_path / "in_flight")) == 2
    assert bodies(take(connection, 4)) == [0, 2, 3, 4]
    assert names(tmp_path / "in_flight") == []


def test_what_was_not_acknowledged_is_back_when_the_channel_closes(tmp_path):
    with connect(tmp_path) as first:
        publish(first, "one", "two")
        take(first, 2, acknowledge=False)
        assert waiting(first) == 0
    with connect(tmp_path) as second:
        assert bodies(take(second, 2)) == ["one", "two"]


def test_a_requeued_message_comes_again_and_a_rejected_one_does_not(connection, tmp_path):
    publish(connection, "again", "never")
    (_, again), (_, never) = take(connection, 2, acknowledge=False)
    again.requeue()
    never.reject()
    assert names(tmp_path / "in_flight") == []
    assert bodies(take(connection, 1)) == ["again"]
    assert waiting(connection) == 0


@pytest.mark.parametrize("read", ["consume", "get"])
def test_without_acknowledgements_nothing_stays_in_flight(connection, tmp_path, read):
    publish(connection, "light")
    if read == "consume":
        assert bodies(take(connection, 1, acknowledge=False, no_ack=True)) == ["light"]
    else:
        assert Queue("q")(connection.default_channel).get(no_ack=True).payload == "light"
    assert names(tmp_path / "in_flight") == names(tmp_path / "queue") == []


def test_a_full_consumer_gives_way_so_that_it_can_acknowledge(connection, monkeypatch):
    publish(connection, "first", "second")
    taken = []
    with connection.Consumer([Queue("q")], callbacks=[lambda _, message: taken.append(message)], prefetch_count=1):
        wait_until(lambda: taken or drain(connection))
        with monkeypatch.context() as patched, pytest.raises(TimeoutError):
            patched.setattr("kombu.transport.virtual.base.sleep", lambda _: pytest.fail("Kombu waits for a message."))
            connection.drain_events()
        assert len(taken) == 1
        taken[0].ack()
        wait_until(lambda: len(taken) == 2 or drain(connection))


def test_an_idle_call_ends_after_one_nap_so_that_no_acknowledgement_waits_for_long(connection, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("kombu.transport.virtual.base.monotonic", lambda: clock[0])
    monkeypatch.setattr("kombu.transport.virtual.base.sleep", lambda nap: clock.append(clock.pop() + nap))
    with connection.Consumer([Queue("q")], callbacks=[print]), pytest.raises(TimeoutError):
        connection.drain_events(timeout=2)  # as Celery's worker asks
    assert clock == [0.1]


def test_a_second_worker_on_the_folder_ends_with_a_clear_line(tmp_path):
    with connect(tmp_path / "broker") as connection, connection.Consumer([Queue("q")]):
        with celery_worker(tmp_path) as second:
            output, _ = second.communicate(timeout=PATIENCE)
        assert second.returncode == 1
        last = output.strip().splitlines()[-1]
        assert f"Another worker uses {tmp_path / 'broker'}" in last and "another DATA folder" in last
        with script(PUBLISHER, tmp_path / "broker", "publisher", 1) as publisher:
            assert publisher.wait(PATIENCE) == 0, "a publisher needs no lock"
        assert waiting(connection) == 1


def test_a_forked_child_neither_has_nor_keeps_the_lock(connection, tmp_path):
    with script(HOLDER, tmp_path) as holder:
        assert holder.stdout.readline() == "the child is refused\n"
        with pytest.raises(embedded_broker.FolderInUse), connection.Consumer([Queue("q")]):
            pass  # and its try has not cost the parent the lock
        holder.kill()  # the child lives on, until its standard input is closed
        holder.wait(PATIENCE)
        with connection.Consumer([Queue("q")]):
            pass


def test_every_message_of_many_publishers_arrives_exactly_once(connection, tmp_path):
    number, failures = 150, []

    def publish_some(who):
        try:
            with connect(tmp_path) as own:
                publish(own, *([who, each] for each in range(number)))
        except Exception as error:  # for the main thread to see
            failures.append(error)

    threads = [threading.Thread(target=publish_some, args=(f"thread {each}",)) for each in range(4)]
    with (
        script(PUBLISHER, tmp_path, "process 0", number) as first,
        script(PUBLISHER, tmp_path, "process 1", number) as second,
    ):
        for thread in threads:
            thread.start()
        arrived = bodies(take(connection, 6 * number))  # while they are still writing
        for thread in threads:
            thread.join(PATIENCE)
        assert (first.wait(PATIENCE), second.wait(PATIENCE), failures) == (0, 0, [])

    senders = [f"{kind} {each}" for kind, many in (("thread", 4), ("process", 2)) for each in range(many)]
    assert sorted(arrived) == sorted([who, each] for who in senders for each in range(number))
    assert waiting(connection) == 0
    assert [names(tmp_path / folder) for folder in ("unfinished", "in_flight", "unreadable")] == [[], [], []]


def test_no_message_is_lost_when_the_worker_is_killed(tmp_path):
    with connect(tmp_path / "broker") as connection:
        with celery_worker(tmp_path):
            publish_tasks(tmp_path, 12)
            wait_until((tmp_path / "started-5").exists)
        # killed on the way out of the block, in the middle of task 5
        assert not (tmp_path / "done-5").exists()
        assert names(tmp_path / "broker" / "in_flight")

        (tmp_path / "gate").touch()
        with celery_worker(tmp_path):
            wait_until(lambda: all((tmp_path / f"done-{number}").exists() for number in range(12)))
            wait_until(lambda: not names(tmp_path / "broker" / "in_flight"))
            assert waiting(connection, "celery") == 0
    assert names(tmp_path / "broker" / "unreadable") == []


def publish_tasks(folder, number):
    source = f"import small_app\nfor each in range({number}): small_app.mark.delay(each)"
    with process("-c", source, path=[folder], TEST_FOLDER=str(folder)) as publisher:
        assert publisher.wait(PATIENCE) == 0, publisher.stdout.read()


def test_queue_names_do_not_mix(connection):
    queues = ["a", "a.b", "b", ".b", "a.", "A", "a/b", "../b", "..", "a%2Fb", "ä b"]
    for queue in queues:
        publish(connection, queue, queue=queue)
    for queue in queues:
        assert waiting(connection, queue) == 1
        assert bodies(take(connection, 1, queue=queue)) == [queue]
        assert waiting(connection, queue) == 0


def test_a_publisher_that_declares_nothing_reaches_the_queue_named_by_the_routing_key(connection, tmp_path):
    with connect(tmp_path) as other:
        other.Producer(serializer="json").publish("hello", exchange="q", routing_key="q")
    assert bodies(take(connection, 1)) == ["hello"]


def test_a_binding_declared_by_the_publisher_is_followed(connection):
    queue = Queue("q", Exchange("orders"), routing_key="placed")
    connection.Producer(serializer="json").publish("hello", exchange="orders", routing_key="placed", declare=[queue])
    assert (waiting(connection, "q"), waiting(connection, "placed")) == (1, 0)


def test_a_workers_events_do_not_pile_up(connection, tmp_path):
    events = Exchange("celeryev", type="topic")
    connection.Producer(serializer="json").publish("beat", "worker.heartbeat", exchange=events, declare=[events])
    assert names(tmp_path / "queue") == []


def test_size_purge_and_delete_know_one_queue_only(connection, tmp_path):
    publish(connection, 1, 2, 3, queue="a")
    publish(connection, 1, queue="a.b")
    channel = connection.default_channel
    channel.queue_delete("a", if_empty=True)
    assert waiting(connection, "a") == 3
    assert channel.queue_purge("a") == 3
    assert (waiting(connection, "a"), waiting(connection, "a.b")) == (0, 1)
    with connect(tmp_path) as other:
        other.default_channel.queue_delete("a.b")
    assert names(tmp_path / "queue") == []


def test_a_full_disk_is_an_error_the_publisher_can_expect(connection, tmp_path, monkeypatch):
    def no_space(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(ChannelError, match="No space left on device"):
        publish(connection, "lost")
    assert names(tmp_path / "queue") == names(tmp_path / "unfinished") == []


def test_a_missing_folder_option_is_named():
    with pytest.raises(ValueError, match="broker_transport_options"), Connection("embedded://") as connection:
        connection.connect()
