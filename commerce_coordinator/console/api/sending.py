"""Recording what was sent over the API, once per key."""

import dataclasses
import hashlib
import json
from functools import partial
from typing import Any

from django.db import IntegrityError
from rest_framework import exceptions, status

from commerce_coordinator.console.models import IdempotencyKey
from commerce_coordinator.core.deliveries.dispatch import Recorded, Sending, record
from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.inserts import insert
from commerce_coordinator.core.transactions import atomically

from .attempts import Link

#: Of several calls that race for a key one wins; the others find it at the next look.
TRIES = 3


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key came before, with another payload."


def record_sending(sending: Sending, *, link: Link, caller: Any, key: str, payload: Any) -> Recorded:
    """Record it with the origin `api`. Raises KeyReused, ValidationError, and what the database raises.

    key: the Idempotency-Key, or "". Of an attempt of our own it is what the attempt would have recorded it by; of
    another program it is kept in a table, together with a digest of the payload as it came.
    """
    sending = dataclasses.replace(
        sending, origin=Dispatch.Origin.API, parent_id=link.delivery_id, attempt_id=link.attempt_id
    )
    if link.delivery_id is not None:
        if not key.startswith(f"{link.idempotency_key}:"):
            raise exceptions.ValidationError({"Idempotency-Key": ["It is not one of this delivery's."]})
        return record(dataclasses.replace(sending, dedupe_key=sending.dedupe_key or key))
    if not key:
        return record(sending)
    mine = IdempotencyKey(key=_digest([caller.pk, sending.signal, key]), payload=_digest(payload))
    for number in range(TRIES):
        found = _find(sending, mine)
        if found is not None:
            return found
        try:
            # At first without looking for the business key, as nearly every sending is new.
            return atomically(partial(_write, sending, mine, look_first=number > 0))
        except IntegrityError as error:
            failure = error
    raise failure


def _write(sending: Sending, mine: IdempotencyKey, *, look_first: bool) -> Recorded:
    recorded = record(sending, look_first=look_first)
    mine.dispatch_id = recorded.dispatch.pk
    insert(mine)
    return recorded


def _find(sending: Sending, mine: IdempotencyKey) -> Recorded | None:
    known = IdempotencyKey.objects.filter(key=mine.key).first()
    if known is None:
        return None
    if known.payload != mine.payload:
        raise KeyReused()
    dispatch = Dispatch.objects.filter(pk=known.dispatch_id).first()
    if dispatch is None:  # its story was old when the key came, and retention has removed it
        return Recorded(sending=sending, dispatch=Dispatch(pk=known.dispatch_id, trace_id=""), deliveries=[], new=False)
    return Recorded(sending=sending, dispatch=dispatch, deliveries=list(dispatch.deliveries.all()), new=False)


def _digest(value: Any) -> str:
    """A key may hold anything, a name too, and a payload does: neither is kept."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
