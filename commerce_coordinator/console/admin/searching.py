"""Search by equality on indexed columns: ids, trace ids, order numbers, persons. Never by LIKE.

Each look-up goes by one index of its own and gives keys. One OR over all of them would leave the choice of index to
the database, which may then choose none.
"""

import uuid
from typing import Any

from django.db.models import Model

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

#: Matches that one look-up gives at most, the newest ones.
MOST_FOUND = 1000

Keys = set[uuid.UUID]


def as_uuid(term: str) -> uuid.UUID | None:
    """The term as a key, with or without hyphens; None when it is something else."""
    try:
        return uuid.UUID(term)
    except ValueError:
        return None


def events(term: str) -> Keys:
    """By the provider's event id, trace id, own id, or the order number of what was sent because of it."""
    found = _keys(InboxEvent, event_id=term) | _keys(InboxEvent, trace_id=term)
    found |= _keys(Dispatch, "event_id", subject=term)
    key = as_uuid(term)
    return found | _keys(InboxEvent, pk=key) if key else found


def dispatches(term: str) -> Keys:
    """By trace id, order number, person or event id; or by the id of itself, its event or the delivery that sent it."""
    found = _of_story(term)
    key = as_uuid(term)
    if key:
        found |= _keys(Dispatch, pk=key) | _keys(Dispatch, event=key) | _keys(Dispatch, parent=key)
    return found


def deliveries(term: str) -> Keys:
    """By trace id, order number, person or event id; or by the id of itself or its dispatch."""
    found = _keys(Delivery, dispatch__in=_of_story(term))
    key = as_uuid(term)
    if key:
        found |= _keys(Delivery, pk=key) | _keys(Delivery, dispatch=key)
    return found


def attempts(term: str) -> Keys:
    """By trace id, order number, person or event id; or by the id of itself or its delivery."""
    found = _keys(Attempt, delivery__in=_keys(Delivery, dispatch__in=_of_story(term)))
    key = as_uuid(term)
    if key:
        found |= _keys(Attempt, pk=key) | _keys(Attempt, delivery=key)
    return found


def _of_story(term: str) -> Keys:
    """The dispatches of a story that the term names."""
    found = _keys(Dispatch, trace_id=term) | _keys(Dispatch, subject=term) | _keys(Dispatch, person=term)
    return found | _keys(Dispatch, event__in=_keys(InboxEvent, event_id=term))


def _keys(model: type[Model], column: str = "pk", **equal: Any) -> Keys:
    rows = model._default_manager.filter(**equal).order_by("-pk").values_list(column, flat=True)
    return {key for key in rows[:MOST_FOUND] if key}
