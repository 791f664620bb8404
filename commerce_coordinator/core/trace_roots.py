"""From a reference to where its stories began: look-ups by equality, each along an index of its own, then upwards.

One OR over all of them would leave the choice of index to the database, which may then choose none.
"""

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from commerce_coordinator.core import references
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent

Thing = TypeVar("Thing")
Keys = set[uuid.UUID]

#: What one look-up gives at most, the newest ones.
MOST_FOUND = 1000

#: Keys per statement: MariaDB makes a table of longer lists, and may then walk ours.
AT_ONCE = 500

#: A story longer than this is cut; none of ours comes near.
DEEPEST = 20

#: Bodies of failed events that are read for a reference which nothing else knows, the newest ones.
MOST_BODIES = 100

_TRACE_ID = re.compile(r"[0-9a-f]{32}")


def beginnings(reference: str, *, private: bool) -> tuple[Keys, Keys]:
    """(events, dispatches sent without one) where the stories that the reference names began.

    private: search by names as well, for whoever may see them.
    """
    if not reference or not reference.isprintable():
        return set(), set()  # nothing would name every dispatch that is about nothing
    events, named = _by_ids(reference)
    named |= _by_content(reference, private=private)
    events_above, alone = _climb(named)
    if private and not (events or events_above or alone):
        events = _failed_events(reference)
    return events | events_above, alone


def parts(keys: Iterable[Thing]) -> Iterator[list[Thing]]:
    """The keys in lists that a statement may name."""
    rest = iter(keys)
    while part := list(islice(rest, AT_ONCE)):
        yield part


def _by_ids(reference: str) -> tuple[Keys, Keys]:
    """(events, dispatches) with this event id, trace id, or key; or of a delivery or an attempt that has the key."""
    events, dispatches = _keys(InboxEvent, event_id=reference), set()
    if _TRACE_ID.fullmatch(reference):
        events |= _keys(InboxEvent, trace_id=reference)
        dispatches |= _keys(Dispatch, trace_id=reference)
    try:
        key = uuid.UUID(reference)
    except ValueError:
        return events, dispatches
    events |= _keys(InboxEvent, pk=key)
    dispatches |= _keys(Dispatch, pk=key) | _keys(Delivery, "dispatch_id", pk=key)
    # A try's row is written when it ends; while it runs, its delivery's has the id, which no index knows.
    dispatches |= _keys(Attempt, "delivery__dispatch_id", pk=key)
    return events, dispatches


def _failed_events(reference: str) -> Keys:
    """Of the newest failed events those whose body holds the reference as a text of JSON.

    Nothing was sent because of them, so that only their bodies know of an order or a payment.
    """
    told = json.dumps(reference).encode()
    failed = InboxEvent.objects.filter(state=InboxEvent.State.FAILED).order_by("-pk")
    bodies = failed.values_list("pk", "raw_body")[:MOST_BODIES]
    return {key for key, body in bodies if body is not None and told in bytes(body)}


def _by_content(reference: str, *, private: bool) -> Keys:
    """Dispatches that are about what the reference names: an order, a person, or what an app knows of."""
    subjects, people, sent = {reference}, {reference}, set()
    for named in references.named_by(reference, private=private):
        people.update(named.people)
        subjects.update(named.subjects)
        for signal, key in named.sendings:
            found = Dispatch.objects.filter(signal=signal, dedupe_key=key).values_list("pk", "subject")
            for pk, subject in found:
                sent.add(pk)
                subjects.add(subject)
    found_keys = set(sent)
    for part in parts(sorted(subjects - {""})):
        found_keys |= _keys(Dispatch, subject__in=part)
    for part in parts(sorted(people - {""})):
        found_keys |= _keys(Dispatch, person__in=part)
    return found_keys


def _climb(named: Keys) -> tuple[Keys, Keys]:
    """(events, dispatches without one) above these dispatches."""
    events: Keys = set()
    alone: Keys = set()
    level = _places(Dispatch.objects.all(), named, "pk", "event_id", "parent_id")
    for _ in range(DEEPEST):
        above = set()
        for key, event, parent in level:
            if parent:
                above.add(parent)
            elif event:
                events.add(event)
            else:
                alone.add(key)
        if not above:
            break
        above_them = Delivery.objects.all()
        level = _places(above_them, above, "dispatch_id", "dispatch__event_id", "dispatch__parent_id")
    return events, alone


def _places(rows: QuerySet[Any], keys: Keys, *columns: str) -> list[Any]:
    return [row for part in parts(sorted(keys)) for row in rows.filter(pk__in=part).values_list(*columns)]


def _keys(model: type[Model], column: str = "pk", **equal: Any) -> Keys:
    rows = model._default_manager.filter(**equal).order_by("-pk").values_list(column, flat=True)
    return {key for key in rows[:MOST_FOUND] if key}
