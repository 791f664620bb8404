"""Route an unrouted dispatch by the map of today, or set it aside, by a person's act."""

from django.db import transaction

from commerce_coordinator.core.deliveries import dispatch as recording
from commerce_coordinator.core.deliveries.acts import NOBODY, By, write_down
from commerce_coordinator.core.deliveries.erasing import needs_what_is_erased
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.exceptions import NotReplayable
from commerce_coordinator.core.inserts import insert
from commerce_coordinator.core.transactions import atomically

from . import registry
from .signal import CoordinatorSignal

Kind = OperatorAct.Kind


def route_again(dispatch: Dispatch, *, by: By = NOBODY) -> list[Delivery]:
    """Give an unrouted dispatch the deliveries that the present map says. Returns them, due at once.

    Inline receivers too are run by a worker: whoever sent it is long gone. In one transaction, so that it is either
    still unrouted or has all its deliveries. Raises NotReplayable, with the reason.
    """
    signal = refuse_unless_routable(dispatch)
    deliveries = [recording.due_again(dispatch, route) for route in signal.routes]
    if any(map(needs_what_is_erased, deliveries)):
        raise NotReplayable(f"Dispatch {dispatch.pk} needs the learner's name, which is erased: he has retired.")

    def act() -> None:
        _change(dispatch, map_hash=signal.map_hash)
        insert(*deliveries)
        write_down(Kind.REPLAYED, by, dispatch=dispatch)
        transaction.on_commit(lambda: recording.wake_workers(deliveries), robust=True)

    atomically(act)
    dispatch.refresh_from_db()
    return deliveries


def refuse_unless_routable(dispatch: Dispatch) -> CoordinatorSignal:
    """The signal, with its routes. Raises NotReplayable, with the reason. Touches no database."""
    if not dispatch.unrouted:
        raise NotReplayable(f"Dispatch {dispatch.pk} is not unrouted: replay its deliveries instead.")
    signal = registry.by_name().get(dispatch.signal)
    if signal is None:
        raise NotReplayable(f"No installed plugin defines the signal {dispatch.signal}.")
    if not signal.routes:
        raise NotReplayable(f"The map still routes {dispatch.signal} to nobody. Add a route, or set this aside.")
    if dispatch.payload is None:
        raise NotReplayable(f"Dispatch {dispatch.pk} has no payload: it was no JSON, or a retirement has emptied it.")
    return signal


def set_aside(dispatch: Dispatch, *, by: By = NOBODY) -> Dispatch:
    """Nobody shall get it, and that is well: it leaves the dead letters. Raises NotReplayable where it is routed."""
    if not dispatch.unrouted:
        raise NotReplayable(f"Dispatch {dispatch.pk} is not unrouted.")

    def act() -> None:
        _change(dispatch)
        write_down(Kind.SET_ASIDE, by, dispatch=dispatch)

    atomically(act)
    dispatch.refresh_from_db()
    return dispatch


def _change(dispatch: Dispatch, **changes: str) -> None:
    # __in: for a bare boolean Django writes no comparison.
    if not Dispatch.objects.filter(pk=dispatch.pk, unrouted__in=[True]).update(unrouted=False, **changes):
        raise NotReplayable(f"Dispatch {dispatch.pk} was changed by another just now.")
