"""One purchase through the deaths of its processes, and what must have come of it."""

import copy
import dataclasses
import secrets
import time
from contextlib import suppress
from typing import Any

import requests

from commerce_coordinator.tests.service import Purchase, dispatches, until

from .crashing import CrashingService
from .points import LEAVES_INLINE_OPEN, Deaths
from .receivers import NOTE

#: Seconds between two looks at a story, each of which costs the web process a dozen queries.
LOOK_EVERY = 1.0
LOOK_EVERY_AT_THE_END = 0.2

#: A second point may be passed by another process in the milliseconds in which the first one dies. Then once more.
GOES = 3

Story = dict[str, Any]
Delivery = dict[str, Any]


def survive(service: CrashingService, deaths: Deaths) -> Story:
    """Returns the purchase's story. AssertionError says which fuses were lit, what went wrong, and the log's end."""
    try:
        for _ in range(GOES):
            story = _Go(service, deaths).run()
            if service.burnt() == list(deaths.fuses):
                return story
        raise AssertionError(f"Not burnt: {', '.join(deaths.fuses[len(service.burnt()) :])}")
    except AssertionError as error:
        raise AssertionError(f"{' -> '.join(deaths.fuses)}: {error}\nThe log's end:\n{service.tail(80)}") from error
    finally:
        service.forget_fuses()


@dataclasses.dataclass
class _Go:
    service: CrashingService
    deaths: Deaths

    def run(self) -> Story:
        service, deaths = self.service, self.deaths
        service.forget_fuses()
        self.log_began = len(service.log)
        self.waiting = service.attention()
        self.purchase = Purchase(service)
        if deaths.retry:
            service.fault(status=503, count=1, method="GET")
        service.light_fuse(*deaths.fuses)
        service.deliver(self.purchase.event)
        self._wait_for_deaths(deaths.first + 1)
        # The provider sends again what it got no answer to, or forgot, and another event of the same payment.
        assert service.deliver(self.purchase.event) == "duplicate"
        other = copy.deepcopy(self.purchase.event)
        other["id"] = f"evt_{secrets.token_hex(12)}"
        assert service.deliver(other) in {"sent", "duplicate"}
        self._wait_for_deaths(len(deaths.fuses))
        story = self._settled()
        self._assert_in_effect_once(story)
        told = service.trace(other["id"])
        assert told is not None and told["dispatches"] == [], "The payment's other event added something."
        return self._replayed(story) if deaths.replay else story

    def _wait_for_deaths(self, count: int) -> None:
        """Until so many fuses burnt, or nothing is left to do, so that none will."""
        looked = time.monotonic()

        def enough() -> bool:
            nonlocal looked
            if len(self.service.burnt()) >= count:
                return True
            if time.monotonic() - looked < LOOK_EVERY:
                return False
            looked = time.monotonic()
            return self._story_if_settled() is not None

        until(enough, what=f"{count} deaths")

    def _story_if_settled(self) -> Story | None:
        with suppress(requests.RequestException):  # the web process may be starting just now
            story = self.service.trace(self.purchase.event["id"])
            return story if story and story["settled"] else None
        return None

    def _settled(self) -> Story:
        def settled() -> Story | None:
            time.sleep(LOOK_EVERY_AT_THE_END)
            return self._story_if_settled()

        story: Story = until(settled, what="all deliveries settled")
        return story

    def _assert_in_effect_once(self, story: Story) -> None:
        """Unattended; only inline receivers whose process died wait, each in front of an operator."""
        found = list(dispatches(story["dispatches"]))
        names = sorted(dispatch["signal"].rpartition(".")[2] for dispatch in found)
        three = ["enrollment_requested"] * 3 + ["lms_learner_enrolled"] * 3
        assert names == [*three, "order_placed", "payment_captured"], names
        assert len(_deliveries(story)) == 1 + 2 + 3 * 2 + 3
        left = _not_succeeded(story)
        for delivery in left:
            found_as = (delivery["kind"], delivery["state"], delivery["error_class"])
            assert found_as == ("inline", "dead", "LeaseExpired"), delivery
        assert len(left) <= self._deaths_that_leave_inline_open(), left
        self.purchase.assert_enrolled_once()
        for line in range(1, 4):
            assert len(self.service.lines_with(NOTE, f"{self.purchase.order_number}-{line}")) <= 1
        expected = {**self.waiting, "dead_deliveries": self.waiting["dead_deliveries"] + len(left)}
        assert self.service.attention() == expected

    def _deaths_that_leave_inline_open(self) -> int:
        by_fuse = [fuse for fuse in self.service.burnt() if fuse.partition("@")[0] in LEAVES_INLINE_OPEN]
        # On a machine that is busy enough a task's time may be up: a death that no fuse tells of.
        by_time = [line for _, line in self.service.log[self.log_began :] if "Hard time limit" in line]
        return len(by_fuse) + len(by_time)

    def _replayed(self, story: Story) -> Story:
        """The operator's part: what died inline is replayed, and then nothing waits any more."""
        left = _not_succeeded(story)
        assert left, "Nothing to replay."
        self.service.manage("replay", *(delivery["id"] for delivery in left))
        story = self._settled()
        assert story["succeeded"], _not_succeeded(story)
        assert self.service.attention() == self.waiting
        return story


def _deliveries(story: Story) -> list[Delivery]:
    return [delivery for dispatch in dispatches(story["dispatches"]) for delivery in dispatch["deliveries"]]


def _not_succeeded(story: Story) -> list[Delivery]:
    return [delivery for delivery in _deliveries(story) if delivery["state"] != "succeeded"]
