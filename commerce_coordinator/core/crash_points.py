"""Named places on the way of an event where a test may kill the process, as by `kill -9`.

`CC_CRASH_FUSES` names a folder. A file in it named after a point is a fuse: the first process that comes to the point
removes the file and dies there, with no clean-up of any kind. `<point>@<detail>` waits for one receiver or far side.
The lines of the file are further fuses: the dying process lights the first of them, with the others in it, so that a
second death follows the first without a gap. What burnt is written down in the folder's file `burnt`, a line each.
A first line SIGSTOP stops the process instead of killing it.

Without the variable (always, in production) `reached` is an empty function.
"""

import os
import signal
from collections.abc import Callable, Sequence
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
    "inline.ran",
    "inline.settled",
    "delivery.claimed",
    "signal.sent",
    "client.before_call",
    "client.during_call",
    "client.after_call",
    "delivery.ran",
    "delivery.settled",
    "relay.selected",
    "relay.published",
)

LEDGER = "burnt"


def light(folder: Path, fuses: Sequence[str]) -> None:
    """Light the first fuse; each one that burns lights the next."""
    unfinished = folder / f".{os.getpid()}"
    unfinished.write_text("\n".join(fuses[1:]), encoding="utf-8")
    unfinished.replace(folder / fuses[0])  # so that nobody ever reads half a fuse


def burnt(folder: Path) -> list[str]:
    """The fuses that burnt, in order."""
    ledger = folder / LEDGER
    return ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []


def _unarmed(point: str, detail: str = "") -> None:
    pass


def _armed(folder: Path) -> Callable[[str, str], None]:
    def reached(point: str, detail: str = "") -> None:
        for name in (f"{point}@{detail}", point):
            fuse = folder / name
            try:
                following = fuse.read_text(encoding="utf-8").splitlines()
                fuse.unlink()
            except FileNotFoundError:  # not lit, or another process was faster
                continue
            with (folder / LEDGER).open("a", encoding="utf-8") as ledger:
                ledger.write(f"{name}\n")
            ending = signal.Signals[following.pop(0)] if following[:1] == ["SIGSTOP"] else signal.SIGKILL
            if following:
                light(folder, following)
            os.kill(os.getpid(), ending)

    return reached


ARMED = bool(os.environ.get(ENVIRONMENT_VARIABLE))

reached: Callable[..., None] = _armed(Path(os.environ[ENVIRONMENT_VARIABLE])) if ARMED else _unarmed
