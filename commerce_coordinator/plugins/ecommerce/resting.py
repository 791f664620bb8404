"""While the shop is away, nobody waits for it: one learner in a few seconds finds out, the others are told at once.

Each of them would else hold a thread of the web process for as long as the time-outs are, and providers' events need
those threads. Per process; only for readers who can do without the shop, never for a delivery.
"""

import time

#: Seconds without a call after one that failed, and the most that the shop may ask for by Retry-After.
USUAL = 5.0
LONGEST = 60.0

_until = 0.0


def begin(asked_for: float | None = None) -> None:
    """The shop did not answer just now. asked_for: seconds of its Retry-After."""
    global _until
    _until = time.time() + min(max(USUAL, asked_for or 0.0), LONGEST)


def lasts() -> bool:
    # A clock that was set back makes no longer rest.
    return 0 < _until - time.time() <= LONGEST


def end() -> None:
    """For tests: one test's broken shop is not the next one's."""
    global _until
    _until = 0.0
