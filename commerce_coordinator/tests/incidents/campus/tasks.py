"""Two receivers: one is renamed in a later release, one dies of certain names until it is mended."""

import os
import signal

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.payloads.money import Money

RELEASE = os.environ.get("CAMPUS_RELEASE", "").split(",")
FORMER = f"{__name__}.tell_bookkeeping"

if "renamed" not in RELEASE:

    @delivery_task
    def tell_bookkeeping(*, payment_id: str, money: Money) -> None:
        """Tell the books of a captured payment."""

else:

    @delivery_task(aliases=[FORMER] if "alias" in RELEASE else [])
    def book_payment(*, payment_id: str, money: Money) -> None:
        """Tell the books of a captured payment."""


@delivery_task(schedule=[0.2])
def print_badge(*, order_number: str, username: str) -> None:
    """Print the learner's badge. Its C library falls over names that it has no glyphs for."""
    if username.startswith("glyph") and "glyphs" not in RELEASE:
        os.kill(os.getpid(), signal.SIGKILL)
