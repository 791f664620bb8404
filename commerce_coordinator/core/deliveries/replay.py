"""Run a delivery again with the same payload, or set it aside, by a person's act."""

from django.db.models import F, QuerySet
from django.utils import timezone

from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.transactions import atomically

from .acts import NOBODY, By, write_down
from .dispatch import wake_workers
from .erasing import needs_what_is_erased
from .models import Delivery, OperatorAct

Kind = OperatorAct.Kind


def replay(delivery: Delivery, *, force: bool = False, by: By = NOBODY) -> Delivery:
    """Make a dead or cancelled delivery due again: generation + 1, a fresh budget of attempts.

    It keeps its idempotency key, so that what an earlier try did is not done twice. `force` replays a succeeded one
    too, under a new key: that is meant to do it again. The act is written down. Raises NotReplayable, with the reason.
    """
    refuse_unless_replayable(delivery, force=force)
    generation = delivery.generation + 1
    succeeded = delivery.state == Delivery.State.SUCCEEDED
    now = timezone.now()

    def act() -> None:
        changed = _unchanged(delivery).update(
            state=Delivery.State.PENDING,
            generation=F("generation") + 1,
            attempts=0,
            idempotency_key=f"{delivery.pk.hex}.{generation}" if succeeded else delivery.idempotency_key,
            next_attempt_at=now,
            wake_at=now,
            wakes=0,
            settled_at=None,
            claim_id=None,
        )
        if not changed:
            raise NotReplayable(f"Delivery {delivery.pk} was changed by another just now.")
        write_down(Kind.FORCED if succeeded else Kind.REPLAYED, by, delivery=delivery, generation=generation)

    atomically(act)
    delivery.refresh_from_db()
    wake_workers([delivery])
    return delivery


def refuse_unless_replayable(delivery: Delivery, *, force: bool = False) -> None:
    """Raises NotReplayable, with the reason. Touches no database where the dispatch is loaded."""
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


def set_aside(delivery: Delivery, *, by: By = NOBODY) -> Delivery:
    """Cancel a dead delivery: nothing more shall come of it, and it leaves the dead letters. A replay takes that back.

    Raises NotReplayable where it is not dead.
    """
    if delivery.state != Delivery.State.DEAD:
        raise NotReplayable(f"Delivery {delivery.pk} is {delivery.state}, not dead: only dead ones are set aside.")

    def act() -> None:
        if not _unchanged(delivery).update(state=Delivery.State.CANCELLED, settled_at=timezone.now()):
            raise NotReplayable(f"Delivery {delivery.pk} was changed by another just now.")
        write_down(Kind.SET_ASIDE, by, delivery=delivery, generation=delivery.generation)

    atomically(act)
    delivery.refresh_from_db()
    return delivery


def _unchanged(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=delivery.state, generation=delivery.generation)
