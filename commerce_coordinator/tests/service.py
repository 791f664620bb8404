"""A running service for tests: real processes on free ports of 127.0.0.1, in a temporary folder."""

import contextlib
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
import requests

from commerce_coordinator.conftest import MARIADB_URL
from commerce_coordinator.console.supervisor import ROOT, Instance, Process, free_port
from commerce_coordinator.core import crash_points
from commerce_coordinator.plugins.demo_lms.purchase import (
    COURSES,
    fresh_order_number,
    payment_intent_succeeded,
    signed,
)

#: Compressed times, in seconds: a lost lease or message is found again within a test's patience.
QUICK = {
    "CC_TASK_SOFT_TIME_LIMIT": "4",
    "CC_TASK_TIME_LIMIT": "5",
    "CC_LEASE_SECONDS": "6",
    "CC_RETRY_SCHEDULE": "0.2,0.5,1,1,2,2,4,4",
    "CC_RELAY_INTERVAL": "0.2",
    "CC_WAKE_GAP_SECONDS": "2",
    "CC_LMS_READ_TIMEOUT": "4",
    "CC_DATABASE_TIMEOUT": "5",
}

PATIENCE = 60


def until(condition: Callable[[], Any], *, what: str, seconds: float = PATIENCE) -> Any:
    """Poll until the condition holds; its value is returned. AssertionError says what did not come about."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"Not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


class RunningService:
    """An instance, its log, and what a provider and an operator can do with it from outside."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.fuses = folder / "fuses"
        self.fuses.mkdir()
        self.log: list[tuple[str, str]] = []
        self.instance = Instance(
            data=folder / "data",
            port=free_port(),
            sink=lambda name, line: self.log.append((name, line)),
            env={**QUICK, "CC_CRASH_FUSES": str(self.fuses), **(env or {})},
        )
        self.url = f"http://127.0.0.1:{self.instance.port}"
        #: The stand-in LMS, as its JWTs name it.
        self.lms = f"http://localhost:{self.instance.port}/demo_lms"
        self.redis: RedisServer | None = None

    def __getitem__(self, name: str) -> Process:
        return self.instance.processes[name]

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `manage.py` beside the instance, with its settings."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self.instance.env, "CC_ROLE": "command"},
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )

    def start(self) -> None:
        self.instance.take_folder()
        self.manage("migrate", "-v0")
        self.instance.start()
        self.instance.wait_until_ready()

    def stop(self) -> None:
        for process in self.instance.processes.values():
            process.kill()  # the tests' own stop is the hard one; a test of its own stops softly
        self.instance.stop()

    def light_fuse(self, point: str, *following: str) -> None:
        """The first process that comes to this crash point dies there, and lights the next fuse.

        A first `SIGSTOP` among them stops the process instead.
        """
        crash_points.light(self.fuses, [point, *following])

    def has_burnt(self, point: str) -> bool:
        return not (self.fuses / point).exists()

    def lines_with(self, *texts: str) -> list[str]:
        return [line for _, line in list(self.log) if all(text in line for text in texts)]

    def tail(self, count: int = 60) -> str:
        return "\n".join(f"{name}: {line}" for name, line in self.log[-count:])

    # --- From outside ---

    def post(self, event: dict[str, Any], *, secret: str = "whsec_local") -> requests.Response:
        body, headers = signed(event, secret)
        return requests.post(f"{self.url}/stripe/webhook/", data=body, headers=headers, timeout=20)

    def fault(self, **fault: Any) -> None:
        requests.post(f"{self.url}/demo_lms/faults/", json=fault, timeout=10).raise_for_status()

    def calls(self, username: str, *, changed: bool = False) -> list[dict[str, Any]]:
        """What the stand-in LMS was called for this user."""
        query = {"user": username, **({"changed": "1"} if changed else {})}
        found: list[dict[str, Any]] = requests.get(f"{self.url}/demo_lms/calls/", params=query, timeout=10).json()[
            "calls"
        ]
        return found

    def trace(self, reference: str) -> dict[str, Any] | None:
        answer = requests.get(f"{self.url}/demo_lms/trace/{reference}/", timeout=10)
        found: dict[str, Any] | None = answer.json() if answer.ok else None
        return found


class Purchase:
    """One purchase, of three courses and by a learner of its own unless one is named, and what must come of it."""

    def __init__(
        self,
        service: RunningService,
        *,
        username: str = "",
        lms_user_id: int = 1313,
        courses: Sequence[str] = COURSES,
    ) -> None:
        self.service = service
        self.order_number = fresh_order_number()
        self.username = username or f"learner-{self.order_number.lower()}"
        self.event = payment_intent_succeeded(
            self.order_number, username=self.username, lms_user_id=lms_user_id, courses=courses
        )

    def post(self) -> requests.Response:
        return self.service.post(self.event)

    def wait_until_settled(self) -> dict[str, Any]:
        def settled() -> dict[str, Any] | None:
            with contextlib.suppress(requests.RequestException):  # the web process may be starting just now
                story = self.service.trace(self.event["id"])
                if story and story["settled"]:
                    return story
            return None

        story: dict[str, Any] = until(settled, what=f"all deliveries settled; last lines:\n{self.service.tail()}")
        return story

    def assert_in_effect_once(self) -> dict[str, Any]:
        """Everything succeeded; one dispatch per fact; three enrolments by three calls that changed something."""
        story = self.wait_until_settled()
        assert story["succeeded"], story
        signals = [dispatch["signal"].rpartition(".")[2] for dispatch in dispatches(story["dispatches"])]
        three = ["enrollment_requested"] * 3 + ["lms_learner_enrolled"] * 3
        assert sorted(signals) == sorted([*three, "order_placed", "payment_captured"])
        self.assert_enrolled_once()
        return story

    def assert_enrolled_once(self) -> None:
        """One call per course changed something on the LMS."""
        changed = self.service.calls(self.username, changed=True)
        courses = self.event["data"]["object"]["metadata"]["course_keys"].split(",")
        assert sorted(call["course"] for call in changed) == sorted(courses)

    def mails(self) -> int:
        return len(self.service.lines_with(f"Subject: Your order {self.order_number}"))


def dispatches(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All dispatches of a trace, at any depth."""
    for dispatch in found:
        yield dispatch
        for delivery in dispatch["deliveries"]:
            yield from dispatches(delivery["sent"])
            for attempt in delivery["attempts"]:
                yield from dispatches(attempt["sent"])


class RedisServer:
    """A Redis of our own on a free port, to stop, freeze, wipe and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Nothing happens where it runs already."""
        if self.popen is not None:
            return
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no"]
        self.popen = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, what="Redis answers", seconds=10)

    def wipe(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def freeze(self) -> None:
        """It accepts connections, and is silent."""
        assert self.popen is not None
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.popen is not None
        self.popen.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait()
            self.popen = None

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


@contextlib.contextmanager
def mariadb_database() -> Iterator[str]:
    """The URL of an empty database of our own, dropped afterwards."""
    import MySQLdb

    name = f"cc_test_{uuid.uuid4().hex[:12]}"
    address = urlsplit(MARIADB_URL)
    connection = MySQLdb.connect(
        host=address.hostname,
        port=address.port or 3306,
        user=address.username or "root",
        password=address.password or "",
    )
    try:
        connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f"{MARIADB_URL}/{name}"
    finally:
        connection.cursor().execute(f"DROP DATABASE IF EXISTS {name}")
        connection.close()
