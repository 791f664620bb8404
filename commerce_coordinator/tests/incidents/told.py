"""What each runbook tells: the words that stand on the screens, the command that replays, what says that it is over.

The incidents find these words on the screens, and the documents' tests find them in docs/runbooks/<name>.rst.
"""

import dataclasses
from collections.abc import Mapping, Sequence

GAVE_UP = (
    "GiveUp. The receiver gave up: trying again will not help until something is changed. "
    "Its error text says what; then replay it."
)
NOT_PASSED = "Retry. It did not pass in all its tries. See what the far side answered; when that is mended, replay it."
DEAD_LETTERS = "Dead letters wait for somebody"
NONE_DEAD = "No dead letter waits for somebody."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """Of a screen's part: so many CSS pixels of it from above. find: what the map's field Name holds."""

    height: int
    of: str = "#content"
    find: str = ""
    dark: bool = False


@dataclasses.dataclass(frozen=True)
class Seen:
    words: Sequence[str]
    pictures: Sequence[Picture] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """seen: screen -> what stands on it. replay: what follows `manage.py replay`. over: the first page, afterwards."""

    seen: Mapping[str, Seen]
    replay: str = ""
    over: str = NONE_DEAD


RUNBOOKS: dict[str, Told] = {
    "wrong-secret": Told(
        seen={
            "first-page": Seen(
                (
                    "Webhooks refused in the last hour",
                    "(signature_invalid)",
                    "The secret here is not the provider's, or somebody else sends.",
                ),
                [Picture(of=".cc-overview", height=310)],
            ),
            "refused-webhooks": Seen(("signature_invalid",), [Picture(height=330)]),
            "trace": Seen(("Nothing is known of",)),
        },
        over="Events that came in",
    ),
    "lms-down": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS, "lms.enroll_learner"), [Picture(of=".cc-overview", height=760)]),
            "map": Seen(
                ("delivery task lms.enroll_learner", "failed"),
                [
                    Picture(of="#signal-map", height=800, find="enroll_learner"),
                    Picture(height=960, find="enroll_learner", dark=True),
                ],
            ),
            "dead-letters": Seen(("lms.enroll_learner", NOT_PASSED), [Picture(height=700)]),
            "trace": Seen(("The far side answered 503", NOT_PASSED), [Picture(height=870)]),
        },
        replay="--filter receiver=lms.enroll_learner error=Retry since=3d",
    ),
    "unknown-learner": Told(
        seen={
            "map": Seen(("delivery task lms.enroll_learner", "failed", "3 retrying"), [Picture(height=170)]),
            "trace": Seen(("is due at", "406", "In flight for"), [Picture(height=800)]),
            "pending-delivery": Seen(
                ("is due at", "The LMS does not know this learner yet (406)."),
            ),
            "first-page": Seen((DEAD_LETTERS,)),
            "dead-letters": Seen(("lms.enroll_learner", NOT_PASSED)),
            "delivery": Seen(("The LMS does not know this learner yet (406).",), [Picture(height=760)]),
        },
        replay="--filter receiver=lms.enroll_learner error=Retry subject={order}",
    ),
    "course-full": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS,)),
            "dead-letters": Seen(("lms.enroll_learner", GAVE_UP), [Picture(height=700)]),
            "delivery": Seen(("The far side answered 400: The course run", "is full."), [Picture(height=760)]),
            "trace": Seen(("400", "POST /demo_lms/api/enrollment/v1/enrollment", "10 of 11 deliveries succeeded")),
        },
        replay="--filter receiver=lms.enroll_learner error=GiveUp subject={order}",
    ),
    "price-mismatch": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS,)),
            "dead-letters": Seen(("fulfillment.place_order", GAVE_UP)),
            "delivery": Seen(
                (
                    "The order is held. The amount received is not the price.",
                    "Mend the order or refund the payment, then replay this delivery.",
                ),
                [Picture(height=700)],
            ),
            "trace": Seen(("fulfillment.order_held", "campus.PriceList"), [Picture(height=760)]),
            "payments": Seen(("The amount received is not the price.",)),
        },
        replay="--filter receiver=fulfillment.place_order subject={order}",
    ),
    "route-removed": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS, "Unrouted dispatches"), [Picture(of=".cc-overview", height=350)]),
            "dead-letters": Seen(
                ("stripe.payment_captured", "The map routed it to nobody. Add a route, then replay it."),
                [Picture(height=700)],
            ),
            "trace": Seen(("The map routed it to no receiver, so nothing follows from it.",)),
            "map": Seen(
                (
                    "signal stripe.payment_captured, unrouted",
                    "stripe.payment_captured → fulfillment.place_order: seen, but neither the map nor code declares it",
                ),
                [Picture(height=720, find="payment_captured")],
            ),
        },
        replay="--filter kind=dispatch signal=stripe.payment_captured",
    ),
    "receiver-renamed": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS,)),
            "dead-letters": Seen(
                (
                    "UnknownReceiver. No receiver has this path: it was renamed without an alias, or its plugin was "
                    "removed. Bring it back or give it an alias, then replay it.",
                ),
                [Picture(height=700)],
            ),
            "delivery": Seen(("without a try",)),
            "map": Seen(("no signal leads here",), [Picture(height=200)]),
        },
        replay="--filter error=UnknownReceiver",
    ),
    "worker-not-running": Told(
        seen={
            "first-page": Seen(
                (
                    "The broker answers.",
                    "A relay lives",
                    "A worker is silent",
                    "Start one: until then what came in waits.",
                    NONE_DEAD,
                ),
                [Picture(of=".cc-overview", height=310)],
            ),
            "trace": Seen(("and waits for a worker", "2 pending"), [Picture(height=560)]),
        },
        over="A worker lives",
    ),
    "broker-down": Told(
        seen={
            "first-page": Seen(
                (
                    "The broker is away: what is due waits, and nothing is lost.",
                    "A worker is silent",
                    "Without the broker nothing reaches it.",
                    "The oldest due delivery waits for",
                ),
                [Picture(of=".cc-overview", height=310)],
            ),
            "trace": Seen(("and waits for a worker", "2 pending"), [Picture(height=560)]),
        },
        over="The broker answers.",
    ),
    "poison-delivery": Told(
        seen={
            "first-page": Seen((DEAD_LETTERS,)),
            "dead-letters": Seen(
                (
                    "campus.print_badge",
                    "LeaseExpired. Nobody knows how far it came: the process that ran it died, hung or was paused. "
                    "Find out from the log what ended it, then replay it.",
                ),
                [Picture(height=700)],
            ),
            "delivery": Seen(("lost", "LeaseExpired"), [Picture(height=760)]),
            "trace": Seen(("lost",)),
        },
        replay="--filter receiver=campus.print_badge error=LeaseExpired",
    ),
}
