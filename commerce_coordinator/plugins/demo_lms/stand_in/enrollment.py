"""The enrolment API: the rules applied to what is kept."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StandInEnrollment, StandInFault
from . import mended, rules
from .bodies import Answer, Refused
from .serving import Received, receive, serve

_TARGET = StandInFault.Target.ENROLLMENT


@never_cache
@csrf_exempt
def enrollments(request: HttpRequest) -> HttpResponse:
    """GET ?user=: the learner's active enrolments. POST: enrol, change, leave."""
    received = receive(request, user=request.GET.get("user", ""), names=_names)
    return serve(_TARGET, received, {"GET": _list, "POST": _enroll})


@never_cache
@csrf_exempt
def enrollment_of(request: HttpRequest, username: str, course_id: str) -> HttpResponse:
    """GET: one enrolment, active or not; 200 without a body when there is none."""
    return serve(_TARGET, receive(request, user=username, course=course_id), {"GET": _one})


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
    if not _may_see(received):
        return Answer(status=200, body=[])
    found = StandInEnrollment.objects.filter(user=received.user, is_active=True).order_by("pk")
    return Answer(status=200, body=[as_json(each) for each in found])


def _one(received: Received) -> Answer:
    if not _may_see(received):
        return Answer(status=404)
    if not rules.is_course_key(received.course):
        raise Refused(f"No course run '{received.course}' was found.", field="course_id")
    found = StandInEnrollment.objects.filter(user=received.user, course=received.course).first()
    return Answer(status=200, body=as_json(found) if found else None)


def _enroll(received: Received) -> Answer:
    wish = rules.read_wish(received.body, is_known=mended.is_known)
    rules.demand_privilege(wish, caller=received.caller.username, is_staff=received.caller.is_staff)
    row = StandInEnrollment.objects.select_for_update().filter(user=wish.user, course=wish.course).first()
    current = _standing(row) if row else None
    after = rules.decide(wish, current, run=mended.run_of(wish.course))
    received.call.changed = after != current
    if row is None:
        row = StandInEnrollment(user=wish.user, course=wish.course)
    if received.call.changed:
        row.mode, row.is_active, row.attributes = after.mode, after.is_active, [dict(each) for each in after.attributes]
        row.save()
    return Answer(status=200, body=as_json(row))


def _standing(row: StandInEnrollment) -> rules.Enrollment:
    return rules.Enrollment(mode=row.mode, is_active=row.is_active, attributes=tuple(row.attributes))


def _may_see(received: Received) -> bool:
    return received.caller.is_staff or received.user == received.caller.username


def _names(body: Mapping[str, Any]) -> tuple[Any, Any]:
    details = body.get("course_details")
    return body.get("user", ""), details.get("course_id", "") if isinstance(details, dict) else ""
