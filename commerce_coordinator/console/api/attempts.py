"""A signal that an attempt of our own sends through the API: it belongs to the attempt's delivery and trace.

What the headers say is taken from our own service account only, and only while the delivery is claimed by exactly that
attempt. An attempt's id is its claim's: nobody but the worker that holds the claim knows it.
"""

import dataclasses
import uuid

from rest_framework import exceptions, status
from rest_framework.request import Request

from commerce_coordinator.core.clients.coordinator import ATTEMPT_HEADER, DELIVERY_HEADER, service_username
from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.telemetry.context import span_of


class AttemptIsOver(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "attempt_is_over"
    default_detail = "This attempt does not hold the delivery (any more); the next one sends again."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """The attempt that sends, and what it is known by. Both ids are None for other programs.

    span_id: of its call, so that what it sends is a step of that.
    """

    delivery_id: uuid.UUID | None = None
    attempt_id: uuid.UUID | None = None
    idempotency_key: str = ""
    trace_id: str | None = None
    span_id: str | None = None

    @property
    def ids(self) -> dict[str, uuid.UUID]:
        """For log lines."""
        return {"delivery": self.delivery_id} if self.delivery_id else {}


def link_of(request: Request) -> Link:
    """The attempt that sends this request; an empty Link for other programs. One statement, if there is one.

    Raises PermissionDenied (403) for anybody but our service account, AttemptIsOver (409), ValidationError (400).
    """
    told = [request.headers.get(name, "") for name in (DELIVERY_HEADER, ATTEMPT_HEADER)]
    if not any(told):
        return Link()
    # request.auth is the JWT: a session is somebody at a browser.
    if not request.auth or request.user.username != service_username():
        raise exceptions.PermissionDenied(
            f"{DELIVERY_HEADER} is for this service's own account only: CC_API_USERNAME names it."
        )
    try:
        delivery_id, attempt_id = (uuid.UUID(each) for each in told)
    except ValueError:
        raise exceptions.ValidationError(
            {DELIVERY_HEADER: [f"Send it with {ATTEMPT_HEADER}, both as UUIDs."]}
        ) from None
    held = Delivery.objects.filter(pk=delivery_id, claim_id=attempt_id, state=Delivery.State.RUNNING)
    found = held.values_list("idempotency_key", "dispatch__trace_id").first()
    if found is None:
        raise AttemptIsOver()
    key, trace_id = found
    # Believed here alone: it is our own call, and of the trace that its delivery has.
    span_id = span_of(request.headers.get("traceparent", ""), trace_id=trace_id)
    return Link(delivery_id=delivery_id, attempt_id=attempt_id, idempotency_key=key, trace_id=trace_id, span_id=span_id)
