"""A buyer's orders out of all systems of record: asked by the filter, merged, kept for a minute."""

import dataclasses
from collections.abc import Iterable

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.rest.errors import Unavailable
from commerce_coordinator.payloads.base import Payload
from commerce_coordinator.payloads.history import HistoryOrder

from . import cache
from .filters import OrderHistoryRequested


@dataclasses.dataclass(frozen=True, kw_only=True)
class Buyer:
    """Whose orders are asked for. lms_user_id: None where this service has never seen him."""

    username: str
    lms_user_id: int | None


class History(Payload):
    """Newest first. `gaps`: the sources that did not answer, or not with everything; sorted."""

    orders: tuple[HistoryOrder, ...]
    gaps: tuple[str, ...] = ()


class WrongAnswer(TypeError):
    """A step answered with something else than HistoryOrders and names of sources."""


def history_of(buyer: Buyer) -> History:
    """The buyer's orders, from the cache if nothing was sent about him since. Raises Unavailable, and what a step does.

    Two statements at most for the cache's key and the step of the demo; none grows with the tables.
    """
    key = cache.key_of(buyer.username, buyer.lms_user_id)
    found = cache.read(key, History)
    if found is None:
        found = ask(buyer)
        cache.write(key, found, seconds=cache.SECONDS_WITH_GAPS if found.gaps else cache.SECONDS)
    return found


def ask(buyer: Buyer) -> History:
    """Ask every source, now. Raises Unavailable when a step lets through that its source is away."""
    try:
        answer = OrderHistoryRequested.ask(username=buyer.username, lms_user_id=buyer.lms_user_id, orders=[], gaps=[])
    except (Retry, GiveUp) as error:
        raise Unavailable() from error
    orders, gaps = answer["orders"], answer["gaps"]
    if not all(isinstance(each, HistoryOrder) for each in orders) or not all(isinstance(each, str) for each in gaps):
        raise WrongAnswer(WrongAnswer.__doc__)
    return History(orders=merged(orders), gaps=tuple(sorted(set(gaps))))


def merged(orders: Iterable[HistoryOrder]) -> tuple[HistoryOrder, ...]:
    """Newest first; of the same instant, by number. An order in two sources is taken from the one asked first."""
    by_number: dict[str, HistoryOrder] = {}
    for order in orders:
        by_number.setdefault(order.number, order)
    return tuple(sorted(by_number.values(), key=lambda order: (order.placed_at, order.number), reverse=True))
