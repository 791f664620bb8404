"""One instance of the service on one machine: web, worker and relay, started, watched and stopped together.

Used by `manage.py run`, the demo and the tests. In production an init system does this.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from commerce_coordinator.core.exceptions import CoordinatorError

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent

#: Longest wait, in seconds, for a process to end by itself before it is killed.
STOP_PATIENCE = 10

#: A process that ends by itself is started again, unless it did so this often in a row within STEADY_AFTER seconds.
MOST_RESTARTS = 3
STEADY_AFTER = 20


class CannotStart(CoordinatorError):
    """The instance cannot start. The message names the remedy."""


Sink = Callable[[str, str], None]
"""What takes (process name, line)."""


def commands(port: int) -> dict[str, list[str]]:
    """What is run, by name."""
    return {
        "web": [
            *(str(BIN / "gunicorn"), "commerce_coordinator.wsgi", "--bind", f"127.0.0.1:{port}"),
            # One process with threads: the stand-in LMS is served by it while others of its requests are open.
            *("--worker-class", "gthread", "--workers", "1", "--threads", "32"),
            *("--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket"),
        ],
        "worker": [
            *(str(BIN / "celery"), "-q", "-A", "commerce_coordinator", "worker", "-P", "prefork", "-c", "2"),
            *("--without-gossip", "--without-mingle", "-n", f"worker-{port}@%h"),
        ],
        "relay": [sys.executable, "manage.py", "relay"],
    }


class Process:
    """One of them. Its lines go to the sink; its group is its own, so that Ctrl-C reaches the supervisor alone."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], sink: Sink) -> None:
        self.name = name
        self.command = command
        self.env = dict(env)
        self.sink = sink
        self.started_at = 0.0
        self._popen: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self, **extra_env: str) -> None:
        self.started_at = time.monotonic()
        self._popen = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**self.env, **extra_env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        if self._popen is None:
            raise CannotStart(f"{self.name} was not started.")
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or was never started."""
        return self._popen.poll() if self._popen else None

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def terminate(self) -> None:
        """Ask it to end by itself."""
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """False if it still runs after that."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to it and its children: nothing is cleaned up."""
        if self._popen is None:
            return
        # The group may outlive its leader.
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()

    def stop(self, seconds: float = STOP_PATIENCE) -> None:
        self.terminate()
        self.wait(seconds)
        self.kill()
        if self._reader is not None:
            self._reader.join(1)

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.sink(self.name, line.rstrip("\n"))


class Instance:
    """Web, worker and relay on one data folder and one port."""

    def __init__(self, *, data: Path, port: int, sink: Sink, env: Mapping[str, str] | None = None) -> None:
        self.data = data.resolve()
        self.port = port
        self.url = f"http://localhost:{port}"
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.local",
            "PYTHONUNBUFFERED": "1",
            # Celery then ends softly at SIGTERM: running tasks get time, and what is left goes back to the broker.
            "REMAP_SIGTERM": "SIGQUIT",
            **(env or {}),
            "CC_DATA": str(self.data),
            "CC_PORT": str(port),
        }
        self.processes = {
            name: Process(name, command, {**self.env, "CC_ROLE": name}, sink)
            for name, command in commands(port).items()
        }
        self._lock: IO[str] | None = None

    # --- Before the start ---

    def take_folder(self) -> None:
        """Lock the data folder until this process ends. Raises CannotStart when another instance uses it."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            lock = (self.data / "instance.lock").open("a+")
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.data} cannot be written ({error.strerror}). "
                "Give another: make run DATA=/some/folder"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise CannotStart(
                f"Another instance uses the data folder {self.data}. Stop it, or give this one its own: "
                "make run PORT=8150 DATA=/some/folder"
            ) from None
        self._lock = lock

    def check_port(self) -> None:
        """Raises CannotStart when something listens on the port, or it is none."""
        if not 0 < self.port < 65536:
            raise CannotStart(f"Port {self.port} is none: there are 1 to 65535. Give another: make run PORT=8150")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise CannotStart(
                    f"Port {self.port} cannot be used ({error.strerror}). Stop what listens there, or give another: "
                    f"make run PORT={self.port + 10 if self.port < 65000 else 8150}"
                ) from None

    # --- While it runs ---

    def start(self, names: Iterable[str] = ("web", "worker", "relay")) -> None:
        for name in names:
            self.processes[name].start()

    def wait_until_ready(self, seconds: float = 60, stop: threading.Event | None = None) -> None:
        """Wait until the web process answers, or `stop`. Raises CannotStart if it ends instead, or takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if stop is not None and stop.is_set():
                return
            if self.processes["web"].exit_code is not None:
                raise CannotStart("The web process ended while it started; its lines above say why.")
            if answers(f"http://127.0.0.1:{self.port}/health/"):
                return
            time.sleep(0.1)
        raise CannotStart(f"The web process did not answer within {seconds:.0f} s; its lines above may say why.")

    def stop(self) -> None:
        """Stop all, once and together."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_PATIENCE
        for process in self.processes.values():
            process.wait(max(0.1, deadline - time.monotonic()))
            process.stop(0)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def watch(self, stop: threading.Event, sink: Sink) -> None:
        """Start again what ends by itself, until `stop` is set. Raises CannotStart for what keeps ending."""
        restarts = dict.fromkeys(self.processes, 0)
        while not stop.wait(0.5):
            for name, process in self.processes.items():
                if process.is_running:
                    continue
                steady = time.monotonic() - process.started_at > STEADY_AFTER
                restarts[name] = 1 if steady else restarts[name] + 1
                if restarts[name] > MOST_RESTARTS:
                    raise CannotStart(
                        f"The {name} process keeps ending (exit code {process.exit_code}); see its lines."
                    )
                sink(name, f"ended with exit code {process.exit_code}; started again")
                process.kill()  # what it left behind would go on serving the port or the queue
                process.start()


def answers(url: str) -> bool:
    """Does anything answer over HTTP there, whatever it says?"""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own URL
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
