"""A headless Chromium and a pipe to it, by the DevTools protocol: one JSON message each way, ended by a zero byte.

The pipe needs no port, no driver program and no package, and fits whatever Chromium the machine has.
"""

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import Any

#: Seconds that an answer, or what is waited for, may take.
PATIENCE = 30.0

NAMES = ("chromium", "chromium-browser", "google-chrome")

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    # It reaches nobody but this machine, so that a page which needs somebody else is found out.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    *("--hide-scrollbars", "--force-color-profile=srgb", "--remote-debugging-pipe", "--no-proxy-server"),
)

# Chromium reads at 3 and writes at 4, by its own rule; here they are ours to write and to read.
_WITH_PIPE = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null'


class BrowserFailed(AssertionError):
    """The browser, or a page in it, did not do what was asked. The message says what."""


def program() -> str | None:
    """The path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """The process. `call` asks; what it tells unasked goes to those who listen to the page's session."""

    def __init__(self) -> None:
        found = program()
        if found is None:
            raise BrowserFailed("There is no chromium on the PATH.")
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        command = ["sh", "-c", _WITH_PIPE, found, *_OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self._input, self._output = self._popen.stdin, self._popen.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._output, selectors.EVENT_READ)
        self._received = b""
        self._last_id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}

    def listen(self, session: str, told: Callable[[str, dict[str, Any]], None]) -> None:
        """Give what is told about this session to `told`, as (method, values)."""
        self._listeners[session] = told

    def call(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        """Ask and wait for the answer. Raises BrowserFailed."""
        self._last_id += 1
        number = self._last_id
        message = {"id": number, "method": method, "params": values, **({"sessionId": session} if session else {})}
        try:
            self._input.write(json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise BrowserFailed(f"Chromium has ended (exit code {self._popen.poll()}).") from error
        self.wait(lambda: number in self._answers, what=f"the answer to {method}")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserFailed(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, condition: Callable[[], Any], *, what: str, seconds: float = PATIENCE) -> None:
        """Read what Chromium tells until the condition holds. Raises BrowserFailed after that many seconds."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise BrowserFailed(f"Not within {seconds:.0f} s: {what}")
            if self._selector.select(left):
                self._read()

    def stop(self) -> None:
        """End it, and whatever it started."""
        with contextlib.suppress(BrowserFailed, OSError):
            self.call("Browser.close")
            self._popen.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
        self._selector.close()
        self._input.close()
        self._output.close()
        self._profile.cleanup()

    def _read(self) -> None:
        read = self._output.read(1 << 20)
        if not read:
            raise BrowserFailed(f"Chromium has ended (exit code {self._popen.wait(5)}).")
        *messages, self._received = (self._received + read).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            elif told := self._listeners.get(message.get("sessionId", "")):
                told(message["method"], message["params"])
