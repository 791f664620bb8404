"""Named places on the way of an event where a test may kill the process.

`CC_CRASH_POINT=<name>[:<nth time>]` in the environment arms one: the process ends there as by `kill -9`, with no
clean-up of any kind. Unarmed (always, in production) `reached` is an empty function.
"""

import os
import signal

ENVIRONMENT_VARIABLE = "CC_CRASH_POINT"

#: Every name that `reached` is called with; a test walks this list.
CRASH_POINTS = (
    "webhook.verified",
    "webhook.kept",
    "dispatch.recorded",
    "dispatch.committed",
    "publish.before",
    "publish.after",
    "delivery.claimed",
    "delivery.sent_on",
    "delivery.ran",
    "delivery.settled",
    "client.before_call",
    "client.after_call",
    "relay.selected",
    "relay.published",
)


def _armed(specification: str):  # type: ignore[no-untyped-def]
    name, _, nth = specification.partition(":")
    if name not in CRASH_POINTS:
        raise ValueError(f"{ENVIRONMENT_VARIABLE}: no crash point is named {name!r}. Known: {', '.join(CRASH_POINTS)}")
    left = int(nth or 1)

    def reached(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _unarmed(point: str) -> None:
    pass


reached = _armed(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else _unarmed
