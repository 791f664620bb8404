"""Run a delivery again with the same payload, by a person's act."""

from django.db.models import F
from django.utils import timezone

from commerce_coordinator.core.exceptions import NotReplayable

from .dispatch import wake_workers
from .erasing import needs_what_is_erased
from .models import Delivery


def replay(delivery: Delivery, *, force: bool = False) -> Delivery:
    """Make a dead or cancelled delivery due again: generation + 1, a fresh budget of attempts.

    It keeps its idempotency key, so that what an earlier try did is not done twice. `force` replays a succeeded one
    too, under a new key: that is meant to do it again. Raises NotReplayable, with the reason.
    """
    replayable = {Delivery.State.DEAD, Delivery.State.CANCELLED}
    if force:
        replayable.add(Delivery.State.SUCCEEDED)
    if delivery.state not in replayable:
        hint = " Use --force to do it again." if delivery.state == Delivery.State.SUCCEEDED else ""
        raise NotReplayable(f"Delivery {delivery.pk} is {delivery.state}, not dead.{hint}")
    if delivery.dispatch.payload is None:
        raise NotReplayable(f"Delivery {delivery.pk} has no payload: it was no JSON, or retention has emptied it.")
    if needs_what_is_erased(delivery):
        raise NotReplayable(f"Delivery {delivery.pk} needs the learner's name, which is erased: he has retired.")
    generation = delivery.generation + 1
    key = delivery.idempotency_key
    if delivery.state == Delivery.State.SUCCEEDED:
        key = f"{delivery.pk.hex}.{generation}"
    now = timezone.now()
    changed = Delivery.objects.filter(pk=delivery.pk, state=delivery.state, generation=delivery.generation).update(
        state=Delivery.State.PENDING,
        generation=F("generation") + 1,
        attempts=0,
        idempotency_key=key,
        next_attempt_at=now,
        wake_at=now,
        wakes=0,
        settled_at=None,
        claim_id=None,
    )
    if not changed:
        raise NotReplayable(f"Delivery {delivery.pk} was changed by another just now.")
    delivery.refresh_from_db()
    wake_workers([delivery])
    return delivery
