"""What we do on the LMS. It ignores idempotency keys, so each task looks before it acts, and tells how it ended."""

import contextlib
from collections.abc import Iterator
from typing import Any

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp, Retry

from .client import lms_client
from .signals import (
    enrollment_refused,
    entitlement_granted,
    entitlement_revoked,
    lms_learner_enrolled,
    lms_learner_unenrolled,
)

#: Modes that nobody pays for: what is left of a course whose paid mode was taken back.
FREE_MODES = frozenset({"audit", "honor"})


@delivery_task(sends=[lms_learner_enrolled, enrollment_refused])
def enroll_learner(
    *,
    order_number: str,
    line_number: int,
    username: str,
    course_key: str,
    mode: str,
    lms_user_id: int | None = None,
    credit_provider: str = "",
) -> None:
    """Let the learner into the course, unless he is in already in this mode.

    The order's attributes go with the call that lets him in, or that changes his mode. For a learner who is in already
    in this mode the LMS stores none, and its API shows none; the order of such a line is found by our own table.
    """
    about = _about(order_number, line_number, lms_user_id, username, mode)
    with _told_of_a_refusal(enroll_learner, course_key=course_key, **about):
        client = lms_client()
        found = client.enrollment(username, course_key)
        if not (found and found.get("is_active") and found.get("mode") == mode):
            client.enroll(
                username=username,
                course_key=course_key,
                mode=mode,
                attributes=_attributes(order_number, line_number, credit_provider),
                idempotency_key=_idempotency_key(),
            )
    lms_learner_enrolled.send_robust(sender=enroll_learner, course_key=course_key, **about)


@delivery_task(sends=[lms_learner_unenrolled])
def unenroll_learner(
    *,
    order_number: str,
    line_number: int,
    username: str,
    mode: str,
    course_key: str = "",
    lms_user_id: int | None = None,
) -> None:
    """Let the learner out of the course, if he is in it by this line's mode. Lines of entitlements are left alone.

    One who is out already, who never was in, or who is in by a free mode, is fine: the LMS unenrols before it asks for
    a refund. Raises GiveUp for another paid mode: an order that we do not know may have given it.
    """
    if not course_key:
        return
    client = lms_client()
    found = client.enrollment(username, course_key) or {}
    now = found.get("mode") if found.get("is_active") else None
    if now is not None and now != mode and now not in FREE_MODES:
        raise GiveUp(
            f"The learner is in the course in the mode {now}, and what was refunded gave {mode}. "
            "Nothing was changed: see on the LMS whether this access is another order's."
        )
    if now == mode:
        client.unenroll(username=username, course_key=course_key, mode=mode, idempotency_key=_idempotency_key())
    lms_learner_unenrolled.send_robust(
        sender=unenroll_learner,
        course_key=course_key,
        **_about(order_number, line_number, lms_user_id, username, mode),
    )


@delivery_task(sends=[entitlement_granted, enrollment_refused])
def grant_entitlement(
    *,
    order_number: str,
    line_number: int,
    username: str,
    course_uuid: str,
    mode: str,
    lms_user_id: int | None = None,
) -> None:
    """Give the learner an entitlement to the course. The LMS would give a second one: what this order gave is looked
    for first."""
    about = _about(order_number, line_number, lms_user_id, username, mode)
    with _told_of_a_refusal(grant_entitlement, course_uuid=course_uuid, **about):
        client = lms_client()
        found = client.entitlement(username=username, course_uuid=course_uuid, order_number=order_number)
        uuid = str(found["uuid"]) if found else ""
        if not found:
            uuid = client.entitle(
                username=username,
                course_uuid=course_uuid,
                mode=mode,
                order_number=order_number,
                idempotency_key=_idempotency_key(),
            )
    entitlement_granted.send_robust(sender=grant_entitlement, course_uuid=course_uuid, entitlement_uuid=uuid, **about)


@delivery_task(sends=[entitlement_revoked])
def revoke_entitlement(
    *,
    order_number: str,
    line_number: int,
    username: str,
    mode: str,
    course_uuid: str = "",
    lms_user_id: int | None = None,
) -> None:
    """Take back the entitlement that this order gave; none there is fine. Lines of course runs are left alone."""
    if not course_uuid:
        return
    client = lms_client()
    found = client.entitlement(username=username, course_uuid=course_uuid, order_number=order_number)
    if found:
        client.revoke_entitlement(str(found["uuid"]), idempotency_key=_idempotency_key())
    entitlement_revoked.send_robust(
        sender=revoke_entitlement,
        course_uuid=course_uuid,
        **_about(order_number, line_number, lms_user_id, username, mode),
    )


@delivery_task
def deactivate_account(*, username: str) -> None:
    """Close the learner's account on the LMS."""
    lms_client().deactivate_account(username, idempotency_key=_idempotency_key())


def _about(order_number: str, line_number: int, lms_user_id: int | None, username: str, mode: str) -> dict[str, Any]:
    return {
        "order_number": order_number,
        "line_number": line_number,
        "lms_user_id": lms_user_id,
        "username": username,
        "mode": mode,
    }


def _attributes(order_number: str, line_number: int, credit_provider: str) -> list[dict[str, str]]:
    found = [
        # A later refund finds its order by these.
        ("order", "order_number", order_number),
        ("order", "order_id", order_number),
        ("order", "line_item_id", f"{order_number}-{line_number}"),
    ]
    if credit_provider:
        found.append(("credit", "provider_id", credit_provider))
    return [{"namespace": namespace, "name": name, "value": value} for namespace, name, value in found]


def _idempotency_key() -> str | None:
    attempt = running_attempt()
    return attempt.idempotency_key if attempt else None


@contextlib.contextmanager
def _told_of_a_refusal(sender: Any, **about: Any) -> Iterator[None]:
    """Send `enrollment_refused` when the block fails for good: by a refusal, or by the last try of its delivery."""
    try:
        yield
    except Exception as error:
        attempt = running_attempt()
        if isinstance(error, GiveUp) or (attempt and attempt.is_last):
            said = str(error) if isinstance(error, (GiveUp, Retry)) else f"It failed by {type(error).__name__}."
            enrollment_refused.send_robust(sender=sender, reason=said, **about)
        raise
