"""What the flow keeps of a learner: his dispatches, what hangs on them, and the events that they came from.

A story is followed by keys, never by trace ids: one process may send about two people in one trace.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.erasing import ERASED_TEXT, erased, needs_person
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch, OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.transactions import atomically

from .rooms import Person, Room, chunks, register, texts_of

#: Fields of our vocabulary that say what somebody is called.
NAMES = ("username", "email")

State = Delivery.State

#: What is read of rows, and how many of them per search.
_DELIVERY = ("pk", "receiver", "kind", "state", "dispatch_id")
_READ = ("pk", "signal", "payload", "person", "dedupe_key", "subject", "event_id", "parent_id")
_SEARCHED = 500

#: Steps from one row of a story to the next. None of ours comes near.
DEEPEST = 20

ENDED_BECAUSE = "LearnerRetired"
ENDED_TEXT = (
    "The learner retired before this was done, and it cannot be done without him. Look whether money is to go back."
)


def names(lms_user_id: int) -> set[str]:
    """What his payloads call him."""
    found: set[str] = set()
    for payload in Dispatch.objects.filter(person=str(lms_user_id)).values_list("payload", flat=True):
        found |= _names_in(payload)
    return found


def erase(person: Person) -> int:
    """Erase every story that names the LMS user id. Returns how many dispatches did."""
    seeds = list(Dispatch.objects.filter(person=str(person.lms_user_id)).only(*_READ))
    seeds = [row for row in seeds if row.pk != person.told]
    erase_stories(person, seeds)
    return len(seeds)


def search(people: Sequence[Person], after: str) -> str | None:
    """Dispatches that no LMS user id was known for: read on, and erase those that call one of these people by name."""
    rows = Dispatch.objects.filter(person="", **({"pk__gt": uuid.UUID(after)} if after else {})).order_by("pk")
    found = list(rows.only(*_READ)[:_SEARCHED])
    for person in people:
        erase_stories(person, [row for row in found if _names_him(person, row)])
    return str(found[-1].pk) if len(found) == _SEARCHED else None


def erase_stories(person: Person, seeds: Iterable[Dispatch]) -> None:
    """Erase these dispatches, and all that belongs to them and to nobody else. Batch by batch, each for good."""
    story = _followed(person, seeds)
    for chunk in chunks(story):
        atomically(lambda chunk=chunk: _erase(chunk))  # type: ignore[misc]
    events = {row.event_id for row in story if row.event_id}
    for keys in chunks(sorted(events)):
        InboxEvent.objects.filter(pk__in=keys, body_kept__in=[True]).update(raw_body=None, body_kept=False)
        OperatorAct.objects.filter(event__in=keys).exclude(why="").update(why=ERASED_TEXT)


def _followed(person: Person, seeds: Iterable[Dispatch]) -> list[Dispatch]:
    """Up to the event, down to the last sending, and across the order."""
    story: dict[uuid.UUID, Dispatch] = {}
    level = {row.pk: row for row in seeds}
    for _ in range(DEEPEST):
        level = {pk: row for pk, row in level.items() if pk not in story}
        if not level:
            break
        story.update(level)
        near: dict[uuid.UUID, Dispatch] = {}
        for chunk in chunks(level.values()):
            near.update({row.pk: row for row in _near(person, chunk) if _is_his_alone(person, row)})
        level = near
    return list(story.values())


def _near(person: Person, rows: Sequence[Dispatch]) -> Iterable[Dispatch]:
    keys = [row.pk for row in rows]
    deliveries = list(Delivery.objects.filter(dispatch__in=keys).values_list("pk", flat=True))
    parents = [row.parent_id for row in rows if row.parent_id]
    above = Delivery.objects.filter(pk__in=parents).values_list("dispatch_id", flat=True) if parents else ()
    subjects, events = {row.subject for row in rows} - {""}, {row.event_id for row in rows if row.event_id}
    places = {"parent__in": deliveries, "pk__in": list(above), "subject__in": subjects, "event__in": events}
    # One statement each: of an OR over several columns, databases read the whole table.
    for column, values in places.items():
        if values:
            for row in Dispatch.objects.filter(**{column: values}).only(*_READ):
                if row.person in {"", str(person.lms_user_id)} and row.pk != person.told:
                    yield row


def _names_him(person: Person, row: Dispatch) -> bool:
    if not contracts.is_known(row.signal):
        return any(map(person.is_called, texts_of(row.payload)))
    return bool(_names_in(row.payload) & person.names) and _is_his_alone(person, row)


def _is_his_alone(person: Person, row: Dispatch) -> bool:
    """False for a row that calls anybody by another name: a batch of many learners, for one."""
    return row.person != "" or _names_in(row.payload) <= person.names


def _names_in(payload: Any) -> set[str]:
    found: set[str] = set()
    waiting = [payload]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            found |= {value.casefold() for name in NAMES if isinstance(value := each.get(name), str) and value}
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return found


# --- One batch, in one transaction ---


def _erase(rows: Sequence[Dispatch]) -> None:
    """First what is still to run and cannot run without him, so that no worker takes it with half of its values.

    What runs at this moment keeps its row, and his id in it, until the relay looks again: a retry of it would else run
    with what stands in for his name.
    """
    signals = registry.by_name()
    without: dict[uuid.UUID, Any] = {}
    for row in rows:
        signal = signals.get(row.signal)
        without[row.pk] = erased(row.signal, row.payload, person=signal.person if signal else None)
    deliveries = list(Delivery.objects.filter(dispatch__in=without).only(*_DELIVERY))
    before = {row.pk: row.payload for row in rows}
    open_ones = [
        each
        for each in deliveries
        if each.state in {State.PENDING, State.RUNNING}
        and needs_person(each, before[each.dispatch_id], without[each.dispatch_id])
    ]
    _end([each.pk for each in open_ones if each.state == State.PENDING])
    running = {each.dispatch_id for each in open_ones if each.state == State.RUNNING}
    rows = [row for row in rows if row.pk not in running or not row.person]
    for row in rows:
        signal = signals.get(row.signal)
        if _key_names_him(row, without[row.pk], signal.unique_by if signal else ()):
            row.dedupe_key = f"retired:{row.pk.hex}"
        row.payload, row.person = without[row.pk], ""
    Dispatch.objects.bulk_update([row for row in rows if row.payload is not None], ["payload", "person", "dedupe_key"])
    nothing_left = [row.pk for row in rows if row.payload is None]
    if nothing_left:  # SQL's NULL, which bulk_update would write as JSON's
        Dispatch.objects.filter(pk__in=nothing_left).update(payload=None, person="")
    _erase_texts([each.pk for each in deliveries])
    OperatorAct.objects.filter(dispatch__in=without).exclude(why="").update(why=ERASED_TEXT)


def _end(keys: list[uuid.UUID]) -> None:
    """To the dead letters: an operator sees them, and whether money is to go back."""
    if keys:
        Delivery.objects.filter(pk__in=keys, state=State.PENDING).update(
            state=State.DEAD,
            settled_at=timezone.now(),
            wake_at=None,
            lease_until=None,
            error_class=ENDED_BECAUSE,
            error_text=ENDED_TEXT,
        )


def _erase_texts(deliveries: list[uuid.UUID]) -> None:
    """What the far side answered, and the paths that were called."""
    quoting = Delivery.objects.filter(pk__in=deliveries).exclude(error_text="").exclude(error_class=ENDED_BECAUSE)
    quoting.update(error_text=ERASED_TEXT)
    attempts = Attempt.objects.filter(delivery__in=deliveries)
    attempts.exclude(error_text="").update(error_text=ERASED_TEXT)
    attempts.update(calls=[])
    OperatorAct.objects.filter(delivery__in=deliveries).exclude(why="").update(why=ERASED_TEXT)


def _key_names_him(row: Dispatch, without: Any, unique_by: Sequence[str]) -> bool:
    """Is his name or his id part of the business key?"""
    before = row.payload if isinstance(row.payload, Mapping) else {}
    after = without if isinstance(without, Mapping) else {}
    return any(before.get(name) != after.get(name) for name in unique_by)


register(Room(name="stories", names=names, erase=erase, search=search))
