"""Sends events as Stripe does: signed anew each time, again until there is a 2xx. Its ledger says what was accepted."""

import dataclasses
import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import requests

from commerce_coordinator.plugins.demo_lms.purchase import signed

from .stream import PlannedEvent

#: Seconds until an event that got no 2xx is sent again; the last one over and over. Stripe's hours, compressed.
AGAIN_AFTER = (0.3, 0.6, 1.2, 2.5, 4.0)

#: Seconds that the sender waits for an answer.
PATIENCE = 6.0

THREADS = 24


@dataclasses.dataclass
class Sent:
    """The ledger's line for one event. Times are Unix times in seconds."""

    planned: PlannedEvent
    first_sent_at: float | None = None
    accepted_at: float | None = None
    sendings: int = 0
    answers_2xx: int = 0


class Sender:
    """Call `start`, and wait until `is_done`."""

    def __init__(self, url: str, secret: str, planned: Sequence[PlannedEvent]) -> None:
        self.url = url
        self.secret = secret
        self.ledger = {each.event_id: Sent(each) for each in planned}
        #: How often each answer came: a status, or the name of what happened instead.
        self.answers: Counter[str] = Counter()
        self._bodies = {each.event_id: each.body() for each in planned}
        self._order = itertools.count()
        self._due = [(at, next(self._order), each.event_id, 0) for each in planned for at in each.at]
        heapq.heapify(self._due)
        self._changed = threading.Condition()
        self._under_way = 0
        self._stopped = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sender")
        self._started_at = 0.0

    def start(self) -> None:
        self._started_at = time.monotonic()
        threading.Thread(target=self._send_what_is_due, name="sender", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def is_done(self) -> bool:
        """Was every event accepted, and no sending is left?"""
        with self._changed:
            return not self._due and not self._under_way

    @property
    def accepted(self) -> int:
        return sum(each.accepted_at is not None for each in list(self.ledger.values()))

    def _send_what_is_due(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                left = self._due[0][0] - self._now() if self._due else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                _, _, event_id, tries = heapq.heappop(self._due)
                self._under_way += 1
                self._pool.submit(self._send, event_id, tries)

    def _now(self) -> float:
        return time.monotonic() - self._started_at

    def _send(self, event_id: str, tries: int) -> None:
        line = self.ledger[event_id]
        with self._changed:
            line.sendings += 1
            line.first_sent_at = line.first_sent_at or time.time()
        answer, accepted = self._post(event_id)
        with self._changed:
            self.answers[answer] += 1
            if accepted:
                line.answers_2xx += 1
                line.accepted_at = line.accepted_at or time.time()
            elif line.accepted_at is None:
                again = self._now() + AGAIN_AFTER[min(tries, len(AGAIN_AFTER) - 1)]
                heapq.heappush(self._due, (again, next(self._order), event_id, tries + 1))
            self._under_way -= 1
            self._changed.notify_all()

    def _post(self, event_id: str) -> tuple[str, bool]:
        body, headers = signed(self._bodies[event_id], self.secret)
        # No kept-open connection: one that a killed process left behind would be no fault of this event's.
        try:
            answer = requests.post(
                self.url,
                data=body,
                headers={**headers, "Connection": "close"},
                timeout=PATIENCE,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return type(error).__name__, False
        return str(answer.status_code), 200 <= answer.status_code < 300
