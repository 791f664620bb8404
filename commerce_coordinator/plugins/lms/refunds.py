"""The LMS asks that money goes back: looked up, judged, and sent on as a signal."""

from typing import Any

from rest_framework import exceptions, status

from commerce_coordinator.core.deliveries import inline

from .filters import RefundEligibilityRequested
from .redirects import answer_of
from .signals import refund_requested


class NotEligible(exceptions.APIException):
    """This money does not go back. The detail says why."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "not_eligible"
    default_detail = "This cannot be refunded."


class NoSuchOrder(exceptions.NotFound):
    default_detail = "No order of ours has this number."


def ask_for_refund(
    sender: Any, *, order_number: str, line_number: int | None, username: str, entitlement_uuid: str
) -> dict[str, Any]:
    """Send `refund_requested`, unless that was done or is not needed. Returns what the LMS is answered.

    Raises NoSuchOrder, NotEligible, and Unavailable while a source is away.
    """
    answer = answer_of(
        RefundEligibilityRequested,
        order_number=order_number,
        line_number=line_number,
        username=username,
        lms_user_id=None,
        entitlement_uuid=entitlement_uuid,
    )
    # Whoever knows the order may know the line better: the LMS names none for an entitlement.
    line_number = answer.get("line_number", line_number)
    request_id = f"{order_number}:{line_number or 'all'}"
    payment = answer.get("payment")
    if answer.get("already_refunded"):
        return _told("already_refunded", request_id)
    if not payment:
        raise NoSuchOrder()
    if not answer.get("eligible"):
        raise NotEligible(answer.get("reason") or None)
    recorded = refund_requested.record(
        sender,
        {
            **{name: payment[name] for name in ("provider", "account", "payment_id")},
            "refund_request_id": request_id,
            "order_number": order_number,
            "line_number": line_number,
            "money": answer.get("money"),
            "lms_user_id": answer.get("lms_user_id"),
            "username": username,
        },
    )
    inline.run(recorded)
    return _told("requested" if recorded.new else "requested_before", request_id, str(recorded.dispatch.pk))


def _told(outcome: str, request_id: str, dispatch: str | None = None) -> dict[str, Any]:
    return {"status": outcome, "refund_request_id": request_id, "dispatch": dispatch}
