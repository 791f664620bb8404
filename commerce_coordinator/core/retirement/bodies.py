"""Bodies of events that no dispatch leads to: ignored and failed ones tell of people too.

A provider sends many types about one payment; most are ignored here, and each names the buyer.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from commerce_coordinator.core.deliveries.erasing import ERASED_TEXT
from commerce_coordinator.core.deliveries.models import OperatorAct
from commerce_coordinator.core.inbox.models import InboxEvent

from .rooms import BATCH, Person, Room, register

#: Keys of providers' events and of our metadata: whose value is a person's id, or what he is called.
ID = "lms_user_id"
NAMED = frozenset({"username", "user_name", "user", "name", "full_name", "preferred_username"})


def search(people: Sequence[Person], after: str) -> str | None:
    """Read on, oldest first, and empty the bodies that name one of these people. The events stay, as tombstones."""
    kept = InboxEvent.objects.filter(body_kept__in=[True])  # __in: see inbox/chores.py
    if after:
        at, _, key = after.partition(" ")
        received = datetime.fromisoformat(at)
        kept = kept.filter(Q(received_at__gt=received) | Q(received_at=received, pk__gt=key), received_at__gte=received)
    rows = list(kept.order_by("received_at", "pk").values_list("pk", "raw_body", "received_at")[:BATCH])
    theirs = [pk for pk, body, _ in rows if body is not None and names_any(people, bytes(body))]
    if theirs:
        InboxEvent.objects.filter(pk__in=theirs).update(raw_body=None, body_kept=False)
        OperatorAct.objects.filter(event__in=theirs).exclude(why="").update(why=ERASED_TEXT)
    return f"{rows[-1][2].isoformat()} {rows[-1][0]}" if len(rows) == BATCH else None


def names_any(people: Sequence[Person], body: bytes) -> bool:
    """Does the body name one of these people?

    By an e-mail address anywhere in it, by his id under `lms_user_id`, or by a name under a key for names: a user name
    may be a word, and a body that is emptied for a wrong reason may be another's payment.
    """
    text = body.decode("utf-8", "replace")
    small = text.casefold()
    names = frozenset().union(*(person.names for person in people))
    ids = {str(person.lms_user_id) for person in people}
    # An escape may hide a letter of a name.
    if "\\u" not in small and not any(each in small for each in (*ids, *names)):
        return False
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    addresses = [re.compile(rf"(?<![\w.+-]){re.escape(name)}(?![\w-])") for name in names if "@" in name]
    return any(
        (key == ID and str(value) in ids)
        or (isinstance(value, str) and ((key in NAMED and value.casefold() in names) or _has(addresses, value)))
        for key, value in _items(found)
    )


def _has(addresses: Sequence[re.Pattern[str]], value: str) -> bool:
    return "@" in value and any(address.search(value.casefold()) for address in addresses)


def _items(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(key, value) of every scalar; those of a list by the list's key."""
    waiting = [(key, value)]
    while waiting:
        key, each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.items())
        elif isinstance(each, list):
            waiting.extend((key, inner) for inner in each)
        else:
            yield key, each


register(Room(name="bodies", search=search))
