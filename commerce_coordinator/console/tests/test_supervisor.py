"""One instance on one machine: it starts or says why not, starts again what ends, and stops all that it started."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from commerce_coordinator.console import supervisor
from commerce_coordinator.console.supervisor import (
    MOST_RESTARTS,
    ROOT,
    STEADY_AFTER,
    CannotStart,
    Instance,
    Process,
    answers,
    free_port,
)

PATIENCE = 60  # seconds until a process that does not do its part is a failure

ENDS = [sys.executable, "-c", "raise SystemExit(3)"]
WAITS = [sys.executable, "-c", "import signal; print('waiting', flush=True); signal.pause()"]
#: Ends at once, and leaves a child behind that would stay for ever.
LEAVES = ["/bin/sh", "-c", "sleep 100000 & echo child $!; exit 1"]


class Lines:
    """A sink that can be waited for."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []
        self.changed = threading.Condition()

    def __call__(self, name: str, line: str) -> None:
        with self.changed:
            self.all.append((name, line))
            self.changed.notify_all()

    def wait_for(self, found: Callable[[str], Any], *, count: int = 1) -> list[str]:
        """The lines that are looked for, once there are so many."""

        def looked_for() -> list[str]:
            return [line for _, line in self.all if found(line)]

        with self.changed:
            assert self.changed.wait_for(lambda: len(looked_for()) >= count, PATIENCE), self.all
        return looked_for()


class Rounds(threading.Event):
    """A `stop` event that lets the watch go round so often, without any wait but for `before` each round."""

    def __init__(self, count: int, before: Callable[[], Any] = lambda: None) -> None:
        super().__init__()
        self.left = count
        self.before = before

    def wait(self, timeout: float | None = None) -> bool:
        self.before()
        self.left -= 1
        return self.left < 0


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def instance(tmp_path: Path, lines: Lines) -> Iterator[Instance]:
    """An instance whose parts are replaced by what `parts` says; stopped hard afterwards."""
    made = Instance(data=tmp_path / "data", port=free_port(), sink=lines)
    yield made
    for process in made.processes.values():
        process.kill()
    made.stop()


def parts(instance: Instance, lines: Lines, **commands: list[str]) -> None:
    instance.processes = {name: Process(name, command, os.environ, lines) for name, command in commands.items()}


def output_of(process: Process) -> threading.Thread:
    """Reads the output of a process; ends when the last of those who could write to it has ended."""
    assert process._reader is not None
    return process._reader


# --- Before the start ---


def test_folder_is_made_and_taken(instance: Instance) -> None:
    instance.take_folder()
    assert (instance.data / "instance.lock").exists()


def test_second_instance_on_a_folder_is_refused_with_the_remedy(instance: Instance, lines: Lines) -> None:
    instance.take_folder()
    second = Instance(data=instance.data / ".." / "data", port=free_port(), sink=lines)
    with pytest.raises(CannotStart) as refusal:
        second.take_folder()
    assert str(instance.data) in str(refusal.value)
    assert "Stop it, or" in str(refusal.value)
    assert "make run PORT=" in str(refusal.value)
    assert "DATA=" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_folder_is_free_again_when_the_instance_has_stopped(instance: Instance, lines: Lines) -> None:
    instance.take_folder()
    instance.stop()
    second = Instance(data=instance.data, port=free_port(), sink=lines)
    second.take_folder()
    second.stop()


def test_folder_is_free_again_when_the_instance_was_killed(instance: Instance, lines: Lines) -> None:
    code = (
        "import signal; from pathlib import Path\n"
        "from commerce_coordinator.console.supervisor import Instance\n"
        f"instance = Instance(data=Path({str(instance.data)!r}), port=1, sink=print)\n"
        "instance.take_folder(); print('taken', flush=True); signal.pause()"
    )
    holder = Process("holder", [sys.executable, "-c", code], os.environ, lines)
    holder.start()
    lines.wait_for(lambda line: line == "taken")
    with pytest.raises(CannotStart):
        instance.take_folder()
    holder.kill()
    instance.take_folder()


def test_two_instances_on_two_folders_live_side_by_side(instance: Instance, tmp_path: Path, lines: Lines) -> None:
    instance.take_folder()
    second = Instance(data=tmp_path / "second", port=free_port(), sink=lines)
    second.take_folder()
    second.stop()


@pytest.mark.parametrize("inside", ["", "below", "below/it"])
def test_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path: Path, lines: Lines, inside: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CannotStart) as refusal:
        Instance(data=file / inside, port=free_port(), sink=lines).take_folder()
    assert str(file) in str(refusal.value)
    assert "cannot be written (" in str(refusal.value)
    assert "make run DATA=" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_taken_port_is_refused_with_the_remedy(tmp_path: Path, lines: Lines, address: str) -> None:
    with socket.create_server((address, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as refusal:
            Instance(data=tmp_path, port=port, sink=lines).check_port()
    message = str(refusal.value)
    assert message.startswith(f"Port {port} cannot be used (Address already in use).")
    assert "Stop what listens there, or" in message
    other = int(message.rpartition("make run PORT=")[2])
    assert other != port
    assert 1024 < other < 65536


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_number_that_is_no_port_is_refused_with_the_remedy(tmp_path: Path, lines: Lines, port: int) -> None:
    with pytest.raises(CannotStart) as refusal:
        Instance(data=tmp_path, port=port, sink=lines).check_port()
    other = int(str(refusal.value).rpartition("make run PORT=")[2])
    assert 1024 < other < 65536


def test_port_0_is_no_port_to_open(tmp_path: Path, lines: Lines) -> None:
    # It would be any free one, which nobody could open.
    with pytest.raises(CannotStart):
        Instance(data=tmp_path, port=0, sink=lines).check_port()


def test_free_port_is_taken_as_it_is(instance: Instance) -> None:
    instance.check_port()
    instance.check_port()


def test_port_is_free_again_right_after_its_instance_stopped(tmp_path: Path, lines: Lines) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the server closes first: its side of the connection lingers in TIME_WAIT
            assert client.recv(1) == b""
    Instance(data=tmp_path, port=port, sink=lines).check_port()


def test_parts_know_folder_port_and_their_own_role(tmp_path: Path, lines: Lines) -> None:
    made = Instance(data=tmp_path / "x" / "..", port=8150, sink=lines, env={"CC_PORT": "1", "CC_LEASE_SECONDS": "6"})
    assert list(made.processes) == ["web", "worker", "relay"]
    for name, process in made.processes.items():
        known = {key: process.env[key] for key in ("CC_ROLE", "CC_DATA", "CC_PORT", "CC_LEASE_SECONDS")}
        assert known == {"CC_ROLE": name, "CC_DATA": str(tmp_path), "CC_PORT": "8150", "CC_LEASE_SECONDS": "6"}
    assert made.url == "http://localhost:8150"


# --- Ready or not ---


def test_web_that_ends_while_it_starts_is_said_at_once(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, web=ENDS)
    instance.start(["web"])
    assert instance.processes["web"].wait(PATIENCE)
    with pytest.raises(CannotStart, match="ended while it started"):
        instance.wait_until_ready()


def test_web_that_never_answers_is_said_in_the_end(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, web=WAITS)
    instance.start(["web"])
    with pytest.raises(CannotStart, match="did not answer within 0 s"):
        instance.wait_until_ready(0)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_web_that_answers_anything_is_ready(instance: Instance, lines: Lines, status: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    parts(instance, lines, web=WAITS)
    instance.start(["web"])
    with HTTPServer(("127.0.0.1", instance.port), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        instance.wait_until_ready()
        thread.join()


def test_port_where_nobody_listens_does_not_answer() -> None:
    assert not answers(f"http://127.0.0.1:{free_port()}/")


# --- While it runs ---


def test_process_that_ends_by_itself_is_started_again(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, web=WAITS, relay=WAITS)
    instance.start(["web", "relay"])
    lines.wait_for(lambda line: line == "waiting", count=2)
    web, relay = instance.processes["web"], instance.processes["relay"]
    first, other = web.pid, relay.pid
    web.kill()
    told: list[tuple[str, str]] = []
    instance.watch(Rounds(2), lambda name, line: told.append((name, line)))
    assert web.is_running
    assert web.pid != first
    assert (relay.is_running, relay.pid) == (True, other)
    assert told == [("web", "ended with exit code -9; started again")]


def test_process_that_keeps_ending_is_given_up_by_name(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, relay=ENDS)
    relay = instance.processes["relay"]
    relay.start()
    told: list[str] = []
    with pytest.raises(CannotStart) as given_up:
        instance.watch(Rounds(100, before=lambda: relay.wait(PATIENCE)), lambda _, line: told.append(line))
    assert "The relay process keeps ending (exit code 3)" in str(given_up.value)
    assert told == ["ended with exit code 3; started again"] * MOST_RESTARTS


def test_process_that_was_steady_may_end_as_often_as_it_likes(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, relay=ENDS)
    relay = instance.processes["relay"]
    relay.start()

    def end_after_a_long_time() -> None:
        assert relay.wait(PATIENCE)
        relay.started_at -= STEADY_AFTER + 1

    told: list[str] = []
    instance.watch(Rounds(MOST_RESTARTS * 3, end_after_a_long_time), lambda _, line: told.append(line))
    assert len(told) == MOST_RESTARTS * 3


def test_what_a_dead_process_leaves_behind_does_not_outlive_its_restart(instance: Instance, lines: Lines) -> None:
    # Left behind, it would go on serving the port or the queue beside its successor.
    parts(instance, lines, web=LEAVES)
    web = instance.processes["web"]
    web.start()
    [line] = lines.wait_for(lambda line: line.startswith("child "))
    output = output_of(web)
    try:
        instance.watch(Rounds(1, before=lambda: web.wait(PATIENCE)), lambda *_: None)
        output.join(1)
        assert not output.is_alive()
    finally:
        if output.is_alive():
            os.kill(int(line.split()[1]), signal.SIGKILL)


def test_watch_ends_when_it_is_told_to(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, web=WAITS)
    instance.start(["web"])
    stop = threading.Event()
    stop.set()
    instance.watch(stop, lambda *_: None)
    assert instance.processes["web"].is_running


def test_all_are_stopped_together_and_in_peace(instance: Instance, lines: Lines) -> None:
    parts(instance, lines, web=WAITS, worker=WAITS, relay=WAITS)
    instance.start()
    lines.wait_for(lambda line: line == "waiting", count=3)
    instance.stop()
    assert {process.exit_code for process in instance.processes.values()} == {-signal.SIGTERM}
    instance.stop()  # twice does no harm


def test_process_that_will_not_end_is_killed(instance: Instance, lines: Lines, monkeypatch: Any) -> None:
    monkeypatch.setattr(supervisor, "STOP_PATIENCE", 0.2)
    code = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    parts(instance, lines, worker=[sys.executable, "-c", code])
    instance.start(["worker"])
    lines.wait_for(lambda line: line == "deaf")
    instance.stop()
    assert instance.processes["worker"].exit_code == -signal.SIGKILL


def test_instance_that_was_never_started_stops_too(instance: Instance) -> None:
    instance.stop()
    assert {process.exit_code for process in instance.processes.values()} == {None}


# --- One process ---


def test_killing_a_process_takes_its_children_with_it(lines: Lines) -> None:
    process = Process("web", ["/bin/sh", "-c", "sleep 100000 & echo child $!; wait"], os.environ, lines)
    process.start()
    lines.wait_for(lambda line: line.startswith("child "))
    process.kill()
    output_of(process).join(PATIENCE)
    assert not output_of(process).is_alive()


def test_lines_of_a_process_come_with_its_name(lines: Lines) -> None:
    code = r"import os; os.write(1, b'out\n'); os.write(2, b'err\n'); os.write(1, b'\xff\n')"
    process = Process("worker", [sys.executable, "-c", code], os.environ, lines)
    process.start()
    lines.wait_for(lambda line: True, count=3)
    process.stop()
    assert lines.all == [("worker", "out"), ("worker", "err"), ("worker", "\ufffd")]


def test_process_is_out_of_reach_of_ctrl_c(lines: Lines) -> None:
    process = Process("web", WAITS, os.environ, lines)
    process.start()
    try:
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    finally:
        process.kill()


def test_process_that_was_never_started_can_be_asked_anything(lines: Lines) -> None:
    process = Process("web", WAITS, {}, lines)
    assert (process.is_running, process.exit_code, process.wait(0)) == (False, None, True)
    process.terminate()
    process.stop()
    process.kill()
    with pytest.raises(CannotStart, match="web was not started"):
        process.pid  # noqa: B018


# --- As the user sees it ---


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "run", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.local", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("way", ["option", "environment"])
def test_folder_that_cannot_be_written_is_one_line_that_names_the_remedy(tmp_path: Path, way: str) -> None:
    file = tmp_path / "file"
    file.touch()
    if way == "option":
        done = manage("--data", str(file), CC_DATA=str(tmp_path / "data"))
    else:  # as `make run DATA=...` does it
        done = manage("--data", str(file), CC_DATA=str(file))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "DATA=" in done.stderr


@pytest.mark.parametrize("port", ["many", "99999"])
def test_port_that_is_none_is_told_without_a_traceback(tmp_path: Path, port: str) -> None:
    done = manage("--port", port, CC_PORT=port, CC_DATA=str(tmp_path))  # as `make run PORT=...` does it
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "port" in done.stderr.lower()
