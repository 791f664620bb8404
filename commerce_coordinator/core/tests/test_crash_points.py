"""Fuses: a process dies where it is told to, lights the next fuse, and without the variable costs nothing."""

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from commerce_coordinator.core import crash_points
from commerce_coordinator.core.clients import ApiClient

ON_THE_WAY = """
from commerce_coordinator.core.crash_points import reached
reached("webhook.kept")
reached("delivery.ran", "a.b")
print("alive")
"""


def run(folder: Path | str, code: str = ON_THE_WAY, *arguments: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, crash_points.ENVIRONMENT_VARIABLE: str(folder)}
    return subprocess.run([sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("fuse", ["webhook.kept", "delivery.ran", "delivery.ran@a.b"])
def test_process_dies_at_a_lit_fuse_which_burns(tmp_path: Path, fuse: str) -> None:
    crash_points.light(tmp_path, [fuse])
    died = run(tmp_path)
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "")
    assert crash_points.burnt(tmp_path) == [fuse]
    assert run(tmp_path).stdout == "alive\n"


def test_fuse_of_another_receiver_does_not_burn(tmp_path: Path) -> None:
    crash_points.light(tmp_path, ["delivery.ran@a.c"])
    assert run(tmp_path).stdout == "alive\n"
    assert crash_points.burnt(tmp_path) == []


def test_each_death_lights_the_next_fuse(tmp_path: Path) -> None:
    chain = ["delivery.ran", "webhook.kept", "webhook.kept", "delivery.ran@a.b"]
    crash_points.light(tmp_path, chain)
    for count in range(1, len(chain) + 1):
        assert run(tmp_path).returncode == -signal.SIGKILL
        assert crash_points.burnt(tmp_path) == chain[:count]
    assert run(tmp_path).stdout == "alive\n"


@pytest.mark.parametrize("folder", ["", None])
def test_without_the_variable_a_point_is_an_empty_function(folder: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from commerce_coordinator.core import crash_points as c; print(c.reached is c._unarmed, c.ARMED)"
    monkeypatch.delenv(crash_points.ENVIRONMENT_VARIABLE, raising=False)
    if folder is None:
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    else:
        found = run(folder, code)
    assert found.stdout == "True False\n"
    assert crash_points._unarmed.__code__.co_code == (lambda point, detail="": None).__code__.co_code


CALL = """
import requests, sys
from commerce_coordinator.core.clients import ApiClient
client = ApiClient(requests.Session(), url_root=sys.argv[1], connect_timeout=5, read_timeout=5)
client.call("GET", "seats")
client.call("POST", "seats", json={"seat": 7})
print("alive")
"""


def test_who_dies_during_a_call_has_sent_all_of_it_and_the_far_side_goes_on(tmp_path: Path) -> None:
    came: list[tuple[str, bytes]] = []

    class FarSide(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            came.append((self.command, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = self.command == "POST"

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    crash_points.light(tmp_path, ["client.during_call@POST"])
    with ThreadingHTTPServer(("127.0.0.1", 0), FarSide) as far_side:
        far_side.daemon_threads = False  # the end waits for what is still at work
        threading.Thread(target=far_side.serve_forever, daemon=True).start()
        died = run(tmp_path, CALL, f"http://127.0.0.1:{far_side.server_port}")
        far_side.shutdown()
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert came == [("GET", b""), ("POST", b'{"seat": 7}')]


def test_without_the_variable_calls_go_their_ordinary_way() -> None:
    session = requests.Session()
    ApiClient(session, url_root="http://127.0.0.1:9", connect_timeout=1, read_timeout=1)
    assert type(session.get_adapter("http://127.0.0.1:9")) is HTTPAdapter
