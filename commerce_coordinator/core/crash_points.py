"""Named places on the way of an event where a test may kill the process, as by `kill -9`.

`CC_CRASH_FUSES` names a folder. A file in it named after a point is a fuse: the first process that comes to the point
removes the file and dies there, with no clean-up of any kind. `<point>@<detail>` waits for one receiver or far side. If
the file holds the name of another signal (SIGSTOP), the process gets that one.
Without the variable (always, in production) `reached` is an empty function.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

ENVIRONMENT_VARIABLE = "CC_CRASH_FUSES"

#: Every name that `reached` is called with.
CRASH_POINTS = (
    "webhook.verified",
    "webhook.kept",
    "dispatch.recorded",
    "dispatch.committed",
    "publish.before",
    "publish.after",
    "delivery.claimed",
    "delivery.ran",
    "delivery.settled",
    "client.before_call",
    "client.after_call",
    "relay.selected",
    "relay.published",
)


def _unarmed(point: str, detail: str = "") -> None:
    pass


def _armed(folder: Path) -> Callable[[str, str], None]:
    def reached(point: str, detail: str = "") -> None:
        for fuse in {point, f"{point}@{detail}"}:
            try:
                name = (folder / fuse).read_text()
                (folder / fuse).unlink()
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.Signals[name or "SIGKILL"])

    return reached


reached: Callable[..., None] = (
    _armed(Path(os.environ[ENVIRONMENT_VARIABLE])) if os.environ.get(ENVIRONMENT_VARIABLE) else _unarmed
)
