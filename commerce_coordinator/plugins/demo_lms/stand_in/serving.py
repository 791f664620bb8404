"""From a request to its answer, for all of the stand-in's APIs: every call kept, every fault shown."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse

from ..models import LONGEST_COURSE_KEY, LONGEST_USERNAME, StandInCall, StandInFault
from . import faults, tokens
from .bodies import Answer, Refused, lms_error, read_object

#: How often a call is taken up again that lost a race for the same row.
TRIES = 5

_NOBODY = tokens.Caller(username="", is_staff=False)


@dataclasses.dataclass(kw_only=True)
class Received:
    """A call as it came in. `refusal`: what is wrong with its body, if anything."""

    call: StandInCall
    authorization: str
    user: str
    course: str
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    refusal: Refused | None = None
    caller: tokens.Caller = _NOBODY


#: What an API does with a call; runs inside a transaction and may run again.
_Act = Callable[[Received], Answer]
_Names = Callable[[Mapping[str, Any]], tuple[Any, Any]]


def receive(request: HttpRequest, *, user: str = "", course: str = "", names: _Names | None = None) -> Received:
    """Read the request to its end, before any transaction: a slow sender must not hold a lock.

    names: takes (user, course) out of the body of a POST; without it no body is looked at.
    """
    headers = request.headers
    call = StandInCall(
        method=(request.method or "")[:8],
        path=request.path[:255],
        idempotency_key=headers.get("Idempotency-Key", "")[:255],
        request_id=headers.get("X-Request-ID", "")[:255],
    )
    received = Received(call=call, authorization=headers.get("Authorization", ""), user=user, course=course)
    if request.method == "POST" and names:
        try:
            received.body = read_object(request)
        except Refused as refused:
            received.refusal = refused
        user, course = names(received.body)
    call.user = user[:LONGEST_USERNAME] if isinstance(user, str) else ""
    call.course = course[:LONGEST_COURSE_KEY] if isinstance(course, str) else ""
    return received


def serve(target: StandInFault.Target, received: Received, acts: Mapping[str, _Act]) -> HttpResponse:
    """Act, keep the call, show the fault that is due."""
    fault = faults.take(target, received.call.method)
    if fault is None:
        return _acted(received, acts).response()
    call = received.call
    call.fault = str(fault)
    # Kept without a status before it waits: whoever looks meanwhile sees that it has arrived.
    call.save()
    if fault.when == StandInFault.When.BEFORE:
        faults.pause(fault)
        answer = faults.answer(fault) if fault.status else _acted(received, acts, answered=False)
    else:
        answer = _acted(received, acts, answered=False)
        faults.pause(fault)
        answer = faults.answer(fault) if fault.status else answer
    StandInCall.objects.filter(pk=call.pk).update(status=answer.status)
    return answer.response()


def _acted(received: Received, acts: Mapping[str, _Act], *, answered: bool = True) -> Answer:
    """Let the call take effect and keep it, in one transaction: the kept calls and the enrolments always agree.

    answered: the call is kept with its status; else that is written when the answer really goes out.
    """
    call = received.call
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                answer = _judged(received, acts)
                call.status = answer.status if answered else None
                call.save()
                return answer
        except (IntegrityError, OperationalError) as error:
            # Two first calls for one enrolment, or a deadlock of theirs. The locks are gone now; it is there next time.
            if not left or not _lost_a_race(error):
                raise
    raise AssertionError("The last try returns or raises.")


def _judged(received: Received, acts: Mapping[str, _Act]) -> Answer:
    act = acts.get(received.call.method)
    if act is None:
        allowed = ", ".join(acts)
        return Answer(status=405, body={"detail": "This method is not allowed here."}, headers={"Allow": allowed})
    caller = tokens.caller_of(received.authorization)
    if caller is None:
        # As Django REST framework words it, which the LMS uses.
        body = {"detail": "The call carries no valid token."}
        return Answer(status=401, body=body, headers={"WWW-Authenticate": 'JWT realm="api"'})
    received.caller = caller
    try:
        if received.refusal is not None:
            raise received.refusal
        return act(received)
    except Refused as refused:
        return lms_error(refused)


def _lost_a_race(error: Exception) -> bool:
    """An enrolment that is there by now, or MySQL's deadlock (1213). What else is operational does not pass so fast."""
    deadlock = connection.vendor == "mysql" and error.args[:1] == (1213,)
    return isinstance(error, IntegrityError) or deadlock
