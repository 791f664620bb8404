"""A running service that crashes and comes back."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

from commerce_coordinator.core import crash_points
from commerce_coordinator.tests.service import RunningService, until

#: Seconds, compressed as far as a busy machine of two cores allows: each death costs a lease or a gap.
AT_ONCE = {
    "DJANGO_SETTINGS_MODULE": "commerce_coordinator.tests.crashes.settings",
    "CC_RETRY_SCHEDULE": "0.1,0.2,0.5,0.5,1,1,2,2,4,4",
    "CC_RELAY_INTERVAL": "0.2",
    "CC_WAKE_GAP_SECONDS": "0.5",
    "CC_LMS_READ_TIMEOUT": "2",
    # Workers of gunicorn are forked with the application in them.
    "GUNICORN_CMD_ARGS": "--preload",
}


class CrashingService(RunningService):
    """A running service whose processes come back at once, whatever they died of."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        super().__init__(folder, {**AT_ONCE, **env})
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        super().start()
        self._keeper.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        super().stop()

    def _keep(self) -> None:
        while not self._stopping.wait(0.05):
            for process in self.instance.processes.values():
                if not process.is_running:
                    process.kill()  # what it left behind
                    process.start()

    def burnt(self) -> list[str]:
        return crash_points.burnt(self.fuses)

    def forget_fuses(self) -> None:
        for fuse in self.fuses.iterdir():
            fuse.unlink(missing_ok=True)

    def attention(self) -> dict[str, int]:
        """What waits for an operator."""
        found: dict[str, int] = requests.get(f"{self.url}/health/", timeout=10).json()["attention"]
        return found

    def deliver(self, event: dict[str, Any]) -> str:
        """Send an event again and again until it is answered 2xx, as its provider does. Returns what was answered."""

        def answered() -> str:
            with suppress(requests.ConnectionError):
                answer = self.post(event)
                if answer.ok:
                    return str(answer.json()["status"])
            return ""

        status: str = until(answered, what="an answer of 2xx")
        return status
