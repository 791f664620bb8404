"""The events that will be sent, when, and which of them several times: the same for the same seed."""

import dataclasses
import random
from typing import Any

from commerce_coordinator.plugins.demo_lms.purchase import COURSES, payment_intent_succeeded

#: Shares of all events: sent several times; telling of a payment that an earlier one told of.
SENT_SEVERAL_TIMES = 0.2
SECOND_OF_A_PAYMENT = 0.05

#: Of those sent several times: at the same moment.
AT_ONCE = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Purchase:
    """What must be in effect when one of its events was accepted."""

    order_number: str
    payment_id: str
    username: str
    courses: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlannedEvent:
    """An event and the moments, in seconds from the start of the stream, at which it is sent unasked."""

    event_id: str
    purchase: Purchase
    at: tuple[float, ...]

    def body(self) -> dict[str, Any]:
        purchase = self.purchase
        return payment_intent_succeeded(
            purchase.order_number,
            username=purchase.username,
            courses=purchase.courses,
            payment_id=purchase.payment_id,
            event_id=self.event_id,
        )


def plan(seed: int, events: int, seconds: float) -> tuple[PlannedEvent, ...]:
    """So many events, spread over so many seconds. Repeats may come up to five seconds later."""
    chance = random.Random(f"stream {seed}")
    planned: list[PlannedEvent] = []
    for number, at in enumerate(sorted(chance.uniform(0, seconds) for _ in range(events))):
        if planned and chance.random() < SECOND_OF_A_PAYMENT:
            purchase = chance.choice(planned[-20:]).purchase
        else:
            purchase = _purchase(chance, number)
        planned.append(PlannedEvent(event_id=f"evt_{number:06}", purchase=purchase, at=_moments(chance, at)))
    return tuple(planned)


def _purchase(chance: random.Random, number: int) -> Purchase:
    return Purchase(
        order_number=f"EDX-{number:06}",
        payment_id=f"pi_{number:06}",
        username=f"learner-{number:06}",
        courses=tuple(sorted(chance.sample(COURSES, chance.randint(1, len(COURSES))))),
    )


def _moments(chance: random.Random, at: float) -> tuple[float, ...]:
    if chance.random() >= SENT_SEVERAL_TIMES:
        return (at,)
    repeats = chance.randint(1, 3)
    if chance.random() < AT_ONCE:
        return (at,) * (repeats + 1)
    return (at, *sorted(at + chance.uniform(0.05, 5.0) for _ in range(repeats)))
