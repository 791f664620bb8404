"""Which process dies where: for each point the place on the way of a purchase where it is first come to.

The way: web keeps the event and sends `payment_captured`; a worker runs `place_order`, which sends `order_placed`; a
worker runs `request_enrollments`, which sends `enrollment_requested` for each of three courses, with an inline
receiver on it; workers run `enroll_learner`, which calls the LMS. The relay publishes what one of them left behind.
"""

import dataclasses

from commerce_coordinator.core.crash_points import CRASH_POINTS

_PLUGINS = "commerce_coordinator.plugins"
PAYMENT_CAPTURED = f"{_PLUGINS}.stripe.signals.payment_captured"
ORDER_PLACED = f"{_PLUGINS}.fulfillment.signals.order_placed"
ENROLLMENT_REQUESTED = f"{_PLUGINS}.fulfillment.signals.enrollment_requested"
PLACE_ORDER = f"{_PLUGINS}.fulfillment.tasks.place_order"
ENROLL_LEARNER = f"{_PLUGINS}.lms.tasks.enroll_learner"
NOTE_REQUEST = "commerce_coordinator.tests.crashes.receivers.note_request"

#: Web commits and dies: what is due is the relay's.
LEFT_TO_THE_RELAY = f"dispatch.committed@{PAYMENT_CAPTURED}"

#: The first purchase's enrolment is the relay's while its sender waits for the end of a lease.
SENDER_LEFT_BEHIND = f"dispatch.committed@{ENROLLMENT_REQUESTED}"

#: The fuses of a first death at this point, the last one being the point's own.
FIRST: dict[str, tuple[str, ...]] = {
    "webhook.verified": ("webhook.verified",),
    "webhook.kept": ("webhook.kept",),
    "dispatch.recorded": (f"dispatch.recorded@{PAYMENT_CAPTURED}",),
    "dispatch.committed": (f"dispatch.committed@{PAYMENT_CAPTURED}",),
    "publish.before": (f"publish.before@{PLACE_ORDER}",),
    "publish.after": (f"publish.after@{PLACE_ORDER}",),
    "inline.ran": (f"inline.ran@{NOTE_REQUEST}",),
    "inline.settled": (f"inline.settled@{ENROLLMENT_REQUESTED}",),
    "delivery.claimed": (f"delivery.claimed@{PLACE_ORDER}",),
    "signal.sent": (f"signal.sent@{ORDER_PLACED}",),
    # POST is the call that changes something.
    "client.before_call": ("client.before_call@POST",),
    "client.during_call": ("client.during_call@POST",),
    "client.after_call": ("client.after_call@POST",),
    "delivery.ran": (f"delivery.ran@{PLACE_ORDER}",),
    "delivery.settled": (f"delivery.settled@{PLACE_ORDER}",),
    "relay.selected": (LEFT_TO_THE_RELAY, "relay.selected@due"),
    "relay.published": (LEFT_TO_THE_RELAY, "relay.published"),
}

#: The fuse of a second death at this point, whatever the first was; without a detail, the next process that comes.
SECOND: dict[str, str] = {
    **{point: point for point in CRASH_POINTS},
    **{point: fuses[-1] for point, fuses in FIRST.items() if point.startswith(("client.", "relay."))},
    # Not a canary of the relay's. This delivery is published by its sender, or by the relay if that one died.
    "publish.before": f"publish.before@{ENROLL_LEARNER}",
    "publish.after": f"publish.after@{ENROLL_LEARNER}",
}

#: These leave `place_order` to be published by another process: the nearest publishing there is.
_LEAVE_PLACE_ORDER_UNPUBLISHED = {
    "webhook.verified",
    "webhook.kept",
    "dispatch.recorded",
    "dispatch.committed",
    "publish.before",
    "relay.selected",
}

#: Come to while signals are sent, which is over when the LMS is called, unless the sender lies behind.
_WHILE_SENDING = {"dispatch.recorded", "dispatch.committed", "inline.ran", "inline.settled", "signal.sent"}

_CALLING = {"client.before_call", "client.during_call", "client.after_call"}

#: Who dies here may leave an inline receiver's delivery open. It is never run again by itself: an operator replays it.
LEAVES_INLINE_OPEN = ("dispatch.committed", "publish.before", "publish.after", "inline.ran")


@dataclasses.dataclass(frozen=True)
class Deaths:
    """A chain of fuses, each lit by the death before."""

    fuses: tuple[str, ...]
    #: Which of them is the first point's own.
    first: int
    #: One call on the LMS is answered with 503, so that a retry comes due and the relay has something to do.
    retry: bool = False
    #: An inline receiver's delivery is left open; the operator replays it.
    replay: bool = False


def alone(point: str) -> Deaths:
    """KeyError names a point that has no scenario."""
    return Deaths(fuses=FIRST[point], first=len(FIRST[point]) - 1, replay=point == "inline.ran")


def in_a_row(first: str, second: str) -> Deaths:
    """KeyError names a point that has no scenario."""
    before = FIRST[first]
    if first in _CALLING and second in _WHILE_SENDING:
        before = (SENDER_LEFT_BEHIND, *before)
    after = SECOND[second]
    if second.startswith("publish.") and first in _LEAVE_PLACE_ORDER_UNPUBLISHED:
        after = FIRST[second][-1]
    return Deaths(fuses=(*before, after), first=len(before) - 1, retry=second.startswith("relay."))
