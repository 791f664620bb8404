"""Keys that we make ourselves: bulk inserts on MySQL return none, and time order keeps indexes compact."""

import os
import threading
import time
import uuid
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A UUID version 7 (RFC 9562): 48 bits of Unix milliseconds, then 12 bits of their fraction, then chance.

    Rises strictly within one process, so that rows made one after the other also sort that way.
    """
    global _last
    now = time.time_ns()
    # 12 bits of the fraction of a millisecond: steps of about 244 ns.
    stamp = (now // 1_000_000 << 12) | (now % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        _last = stamp = max(stamp, _last + 1)
    chance = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return uuid.UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | chance)


def first_at(moment: datetime) -> uuid.UUID:
    """The lowest key that `uuid7` can make from this moment on: a range of keys is a range of time.

    Of a moment before 1970, when no key was made, it is that of 1970.
    """
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def time_of(key: uuid.UUID) -> datetime:
    """When `uuid7` made this key, to the millisecond, in UTC."""
    return datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
