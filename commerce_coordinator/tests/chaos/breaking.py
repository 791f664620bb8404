"""Doing a fault to the cluster, and undoing it."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests

from .cluster import Cluster
from .faults import Fault

#: Seconds. Longer than the read time-out of the service's calls.
TOO_LONG = 3.5

_ALL_CALLS = 100_000

#: What the stand-in is asked for, by kind. A fault without a status is the true answer, only later.
LMS_FAULTS: dict[str, tuple[dict[str, Any], ...]] = {
    "LMS answers 500": ({"status": 500},),
    "LMS answers 429": ({"status": 429, "retry_after": 2},),
    "LMS answers HTML, 502": ({"status": 502, "html": True},),
    "LMS answers HTML, 200": ({"status": 200, "html": True},),
    "LMS takes too long": ({"delay": TOO_LONG},),
    "LMS acts, answers too late": ({"delay": TOO_LONG, "when": "after", "method": "POST"},),
    "LMS gives no token": ({"status": 401}, {"status": 503, "path": "oauth2"}),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Done:
    """A fault as it really was, in Unix times. It ends when what was broken answers again."""

    fault: Fault
    began_at: float
    ended_at: float


class Breaker:
    """Does the planned faults at their times, each in a thread of its own."""

    def __init__(self, cluster: Cluster, planned: Sequence[Fault]) -> None:
        self.cluster = cluster
        self.planned = planned
        self.done: list[Done] = []
        self.on: dict[Fault, None] = {}
        #: What chaos itself could not do; such a run proves nothing.
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._do, args=(each,), daemon=True) for each in planned]

    def start(self) -> None:
        self._started_at = time.monotonic()
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Undo what is on, and do no more."""
        self._stop.set()
        self.join()

    def join(self) -> None:
        for each in self._threads:
            each.join()

    @property
    def is_done(self) -> bool:
        return not any(each.is_alive() for each in self._threads)

    def _do(self, fault: Fault) -> None:
        if self._stop.wait(max(0.0, self._started_at + fault.at - time.monotonic())):
            return
        self.on[fault] = None
        began_at = time.time()
        try:
            with self._breaking(fault):
                self._stop.wait(fault.seconds)
        except Exception as error:
            self.failures.append(f"{fault}: {type(error).__name__}: {error}")
        finally:
            self.done.append(Done(fault=fault, began_at=began_at, ended_at=time.time()))
            del self.on[fault]

    def _breaking(self, fault: Fault) -> contextlib.AbstractContextManager[None]:
        if fault.kind in LMS_FAULTS:
            return self._lms_answers(LMS_FAULTS[fault.kind])
        return self._ways[_how(fault.kind)](self, fault.target)

    # --- The ways to break a thing: context managers ---

    @contextlib.contextmanager
    def _killed(self, name: str) -> Iterator[None]:
        if name in self.cluster.proxies:  # servers stay away for a while
            with self.cluster.down(name):
                yield
        else:
            self.cluster.kill(name)
            yield

    @contextlib.contextmanager
    def _pool_process_killed(self, name: str) -> Iterator[None]:
        self.cluster.kill_pool_process(name)
        yield

    def _frozen(self, name: str) -> contextlib.AbstractContextManager[None]:
        return self.cluster.frozen(name)

    @contextlib.contextmanager
    def _restarted(self, name: str) -> Iterator[None]:
        self.cluster.restart(name)
        yield

    @contextlib.contextmanager
    def _wiped(self, name: str) -> Iterator[None]:
        self.cluster.redis.wipe()
        yield

    @contextlib.contextmanager
    def _half_open(self, name: str) -> Iterator[None]:
        self.cluster.proxies[name].go_half_open()
        try:
            yield
        finally:
            self.cluster.proxies[name].heal()

    @contextlib.contextmanager
    def _cut(self, name: str) -> Iterator[None]:
        self.cluster.proxies[name].cut()
        yield

    @contextlib.contextmanager
    def _dropping(self, name: str) -> Iterator[None]:
        self.cluster.proxies[name].drop_answers(to=b"POST /demo_lms/api/")
        try:
            yield
        finally:
            self.cluster.proxies[name].heal()

    @contextlib.contextmanager
    def _lms_answers(self, orders: Sequence[dict[str, Any]]) -> Iterator[None]:
        url = f"{self.cluster.lms_url}/faults/"
        for order in orders:
            requests.post(url, json={**order, "count": _ALL_CALLS}, timeout=20).raise_for_status()
        try:
            yield
        finally:
            requests.delete(url, timeout=20).raise_for_status()

    _ways: dict[str, Callable[["Breaker", str], contextlib.AbstractContextManager[None]]] = {
        "killed": _killed,
        "process killed": _pool_process_killed,
        "frozen": _frozen,
        "frozen past the lease": _frozen,
        "restarted": _restarted,
        "wiped": _wiped,
        "half-open": _half_open,
        "connections cut": _cut,
        "acts, connection dropped": _dropping,
    }


def _how(kind: str) -> str:
    return kind.partition(" ")[2]


def has_a_way(kind: str) -> bool:
    return kind in LMS_FAULTS or _how(kind) in Breaker._ways
