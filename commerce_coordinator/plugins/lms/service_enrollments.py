"""A service asks that a learner is enrolled, without a payment: sent on as a signal."""

import json
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.crypto import salted_hmac
from rest_framework import exceptions, status

from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.ids import uuid7

from .signals import enrollment_ordered_by_service

#: What all order numbers begin with that are made here. No shop gives such numbers, and no payment has one.
PREFIX = "SVC-"


class KeyReused(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key came before, with other values."


def order_enrollment(sender: Any, *, service: Any, key: str, username: str, course_id: str, mode: str) -> Dispatch:
    """Send `enrollment_ordered_by_service`; the same (service, key) finds the first sending. Raises KeyReused."""
    values = {
        "order_number": order_number(service, key),
        "lms_user_id": lms_user_id_of(username),
        "username": username,
        "course_key": course_id,
        "mode": mode,
    }
    recorded = enrollment_ordered_by_service.record(sender, values)
    kept = recorded.dispatch.payload or {}
    if not recorded.new and any(kept.get(name) != values[name] for name in ("username", "course_key", "mode")):
        raise KeyReused()
    inline.run(recorded)
    return recorded.dispatch


def order_number(service: Any, key: str) -> str:
    """Of an order that nobody paid for: by the service's key, so that a second call is the same order, or a new one."""
    if not key:
        return PREFIX + uuid7().hex
    return PREFIX + salted_hmac("service enrolment", json.dumps([service.pk, key]), algorithm="sha256").hexdigest()[:40]


def lms_user_id_of(username: str) -> int | None:
    """The LMS's id, where the learner has been here: his retirement finds rows by it. One statement."""
    found = get_user_model().objects.filter(username=username).values_list("username", "lms_user_id").first()
    # A database may find names that differ in case.
    return found[1] if found and found[0] == username else None
