"""How a retirement goes: begin at the request, go on by the relay, until nothing is left to find."""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from commerce_coordinator.core.deliveries.models import Delivery, Dispatch

from .models import Retirement
from .rooms import Person, rooms
from .stories import erase_stories

logger = logging.getLogger(__name__)

ENDED_WELL = (Delivery.State.SUCCEEDED, Delivery.State.CANCELLED)


def begin(lms_user_id: int) -> Retirement:
    """Note the retirement and erase what can be found at once. May be called again; raises what the database raises."""
    names = {name.casefold() for room in rooms.values() for name in room.names(lms_user_id) if name}
    retirement, _ = Retirement.objects.get_or_create(lms_user_id=lms_user_id)
    if not names <= set(retirement.names):
        # Before anything goes: once it is gone, nobody knows any more what to search for.
        retirement.names = sorted({*retirement.names, *names})
        retirement.save(update_fields=["names"])
    found = erase(retirement)
    logger.info("A learner retires.", extra={"retirement": retirement.pk, "found": found})
    return retirement


def tell(retirement: Retirement, dispatch: uuid.UUID) -> None:
    """Note which dispatch tells the plugins. It keeps the LMS user id until its deliveries have ended well."""
    retirement.told = dispatch
    retirement.save(update_fields=["told"])


def erase(retirement: Retirement) -> int:
    """Every room, by its indexes. Returns how many rows were his."""
    return sum(room.erase(person_of(retirement)) for room in rooms.values())


def person_of(retirement: Retirement) -> Person:
    return Person(lms_user_id=retirement.lms_user_id, names=frozenset(retirement.names), told=retirement.told)


def search(retirements: Sequence[Retirement], *, steps: int) -> None:
    """Read on in each room, `steps` times at most, for all of them at once, and note how far it was read.

    Whoever retires while others are searched for begins at the start, and they wait until he has come past them.
    """
    for room in rooms.values():
        if room.search is None:
            continue
        for _ in range(steps):
            waiting = [each for each in retirements if each.places.get(room.name, "") is not None]
            if not waiting:
                break
            after = min(each.places.get(room.name, "") for each in waiting)
            now_at = room.search([person_of(each) for each in waiting], after)
            for each in waiting:
                # Only who stood there: how a database sorts keys is its own affair.
                if each.places.get(room.name, "") == after:
                    each.places[room.name] = now_at
    for each in retirements:
        each.save(update_fields=["places"])


def finish(retirement: Retirement, found: int) -> bool:
    """Forget the retirement itself, if nothing of it is open. Returns whether it was.

    Not before what ran when it was asked for must have ended: its last sending named him still.
    """
    still_running = timezone.now() - timedelta(seconds=2 * settings.CC_LEASE_SECONDS)
    searched = all(retirement.places.get(room.name, "") is None for room in rooms.values() if room.search)
    if found or not searched or retirement.requested_at > still_running:
        return False
    if retirement.told is not None:
        if Delivery.objects.filter(dispatch=retirement.told).exclude(state__in=ENDED_WELL).exists():
            return False
        erase_stories(
            Person(lms_user_id=retirement.lms_user_id, names=frozenset(retirement.names)),
            Dispatch.objects.filter(pk=retirement.told),
        )
    retirement.delete()
    return True
