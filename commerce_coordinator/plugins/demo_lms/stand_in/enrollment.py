"""The enrolment API: every call kept, every fault shown, the rules applied."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import LONGEST_COURSE_KEY, LONGEST_USERNAME, StandInCall, StandInEnrollment, StandInFault
from . import faults, rules, tokens
from .bodies import Answer, Refused, lms_error, read_object

#: How often a call is taken up again that lost a race for the same enrolment.
TRIES = 5


@dataclasses.dataclass(kw_only=True)
class Received:
    """A call as it came in. `refusal`: what is wrong with its body, if anything."""

    call: StandInCall
    authorization: str
    user: str
    course: str
    body: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    refusal: Refused | None = None


_Act = Callable[[Received], Answer]


@never_cache
@csrf_exempt
def enrollments(request: HttpRequest) -> HttpResponse:
    """GET ?user=: the learner's active enrolments. POST: enrol, change, leave."""
    received = _receive(request, user=request.GET.get("user", ""))
    return _serve(received, {"GET": _list, "POST": _enroll})


@never_cache
@csrf_exempt
def enrollment_of(request: HttpRequest, username: str, course_id: str) -> HttpResponse:
    """GET: one enrolment, active or not; 200 without a body when there is none."""
    return _serve(_receive(request, user=username, course=course_id), {"GET": _one})


def as_json(enrollment: StandInEnrollment) -> dict[str, Any]:
    """An enrolment in the LMS's shape, which does not show its attributes."""
    return {
        "created": enrollment.created_at.isoformat(),
        "mode": enrollment.mode,
        "is_active": enrollment.is_active,
        "user": enrollment.user,
        "course_details": {"course_id": enrollment.course},
    }


# --- What the API does; each runs inside a transaction and may run again ---


def _list(received: Received) -> Answer:
    if not received.user:
        raise Refused("The parameter user must name a learner.", field="user")
    found = StandInEnrollment.objects.filter(user=received.user, is_active=True).order_by("pk")
    return Answer(status=200, body=[as_json(each) for each in found])


def _one(received: Received) -> Answer:
    if not rules.is_course_key(received.course):
        raise Refused(f"No course run '{received.course}' was found.", field="course_id")
    found = StandInEnrollment.objects.filter(user=received.user, course=received.course).first()
    return Answer(status=200, body=as_json(found) if found else None)


def _enroll(received: Received) -> Answer:
    wish = rules.read_wish(received.body)
    row = StandInEnrollment.objects.select_for_update().filter(user=wish.user, course=wish.course).first()
    current = _standing(row) if row else None
    after = rules.decide(wish, current)
    received.call.changed = after != current
    if row is None:
        row = StandInEnrollment(user=wish.user, course=wish.course)
    if received.call.changed:
        row.mode, row.is_active, row.attributes = after.mode, after.is_active, [dict(each) for each in after.attributes]
        row.save()
    return Answer(status=200, body=as_json(row))


def _standing(row: StandInEnrollment) -> rules.Enrollment:
    return rules.Enrollment(mode=row.mode, is_active=row.is_active, attributes=tuple(row.attributes))


# --- From the request to the answer ---


def _receive(request: HttpRequest, *, user: str = "", course: str = "") -> Received:
    """Read the request to its end, before any transaction: a slow sender must not hold a lock."""
    headers = request.headers
    call = StandInCall(
        method=(request.method or "")[:8],
        path=request.path[:255],
        idempotency_key=headers.get("Idempotency-Key", "")[:255],
        request_id=headers.get("X-Request-ID", "")[:255],
    )
    received = Received(call=call, authorization=headers.get("Authorization", ""), user=user, course=course)
    if request.method == "POST":
        try:
            received.body = read_object(request)
        except Refused as refused:
            received.refusal = refused
        details = received.body.get("course_details")
        user = received.body.get("user", "")
        course = details.get("course_id", "") if isinstance(details, dict) else ""
    call.user = user[:LONGEST_USERNAME] if isinstance(user, str) else ""
    call.course = course[:LONGEST_COURSE_KEY] if isinstance(course, str) else ""
    return received


def _serve(received: Received, acts: Mapping[str, _Act]) -> HttpResponse:
    fault = faults.take(StandInFault.Target.ENROLLMENT, received.call.method)
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
    if not tokens.is_authorized(received.authorization):
        # As Django REST framework words it, which the LMS uses.
        body = {"detail": "The call carries no valid token."}
        return Answer(status=401, body=body, headers={"WWW-Authenticate": 'JWT realm="api"'})
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
