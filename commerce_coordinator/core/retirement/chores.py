"""What the relay does of a retirement."""

import logging
from datetime import timedelta

from commerce_coordinator.core.chores import chore

from .engine import erase, finish, search
from .models import Retirement

logger = logging.getLogger(__name__)

#: People per run, and steps of reading per room: the relay has more to do than this, and the next run is near.
MOST_PEOPLE = 100
MOST_STEPS = 20


@chore(every=timedelta(minutes=1))
def go_on_with_retirements() -> int:
    """Erase what came since, read on for what no index finds, forget who is done. Returns how many were."""
    retirements = list(Retirement.objects.order_by("pk")[:MOST_PEOPLE])
    if not retirements:
        return 0
    found = {each.pk: erase(each) for each in retirements}
    search(retirements, steps=MOST_STEPS)
    done = sum(finish(each, found[each.pk]) for each in retirements)
    if done:
        logger.info("Retirements are complete.", extra={"learners": done})
    return done
