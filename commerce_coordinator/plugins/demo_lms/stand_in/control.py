"""What tests and people ask of the stand-in itself: order faults, count calls, look at enrolments, start afresh."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StandInAccount, StandInCall, StandInEnrollment, StandInEntitlement, StandInFault, StandInMended
from . import entitlements as granted
from . import faults as ordered
from . import rules
from .bodies import Answer, Refused, own_error, read_object
from .enrollment import as_json

#: Rows of one answer; `count` says how many there are.
MOST_ROWS = 10_000


def _endpoint(**acts: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], HttpResponse]:
    """A view with one function per method, whose errors have one shape."""

    def view(request: HttpRequest) -> HttpResponse:
        act = acts.get(request.method or "")
        allowed = ", ".join(acts)
        try:
            if act is None:
                raise Refused(f"Only {allowed} can be used here.", status=405)
            return act(request).response()
        except Refused as refused:
            response = own_error(refused).response()
            if refused.status == 405:
                response.headers["Allow"] = allowed
            return response

    return never_cache(csrf_exempt(view))


# --- faults/ ---


def _list_faults(request: HttpRequest) -> Answer:
    waiting = StandInFault.objects.filter(remaining__gt=0).order_by("pk")
    return Answer(status=200, body={"count": len(waiting), "faults": [_fault_json(each) for each in waiting]})


def _order_fault(request: HttpRequest) -> Answer:
    fault = ordered.read(read_object(request))
    fault.save()
    return Answer(status=201, body=_fault_json(fault))


def _clear_faults(request: HttpRequest) -> Answer:
    deleted, _ = StandInFault.objects.all().delete()
    return Answer(status=200, body={"deleted": {"faults": deleted}})


def _fault_json(fault: StandInFault) -> dict[str, Any]:
    return {
        "status": fault.status,
        "delay": fault.delay,
        "count": fault.remaining,
        "html": fault.html,
        "retry_after": fault.retry_after,
        "when": fault.when,
        "path": fault.path,
        "method": fault.method or None,
        "lifetime": fault.lifetime,
    }


# --- calls/ ---


def _list_calls(request: HttpRequest) -> Answer:
    found = StandInCall.objects.order_by("pk")
    for parameter in ("user", "course"):
        if request.GET.get(parameter):
            found = found.filter(**{parameter: request.GET[parameter]})
    changed = request.GET.get("changed", "")
    if changed not in {"", "0", "1"}:
        raise Refused("changed must be 0 or 1.", field="changed")
    if changed:
        found = found.filter(changed=changed == "1")
    return Answer(status=200, body={"count": found.count(), "calls": [_call_json(each) for each in found[:MOST_ROWS]]})


def _empty(request: HttpRequest) -> Answer:
    """As new, but for the OAuth clients."""
    with transaction.atomic():
        deleted = {
            "calls": StandInCall.objects.all().delete()[0],
            "faults": StandInFault.objects.all().delete()[0],
            "enrollments": StandInEnrollment.objects.all().delete()[0],
            "entitlements": StandInEntitlement.objects.all().delete()[0],
            "accounts": StandInAccount.objects.all().delete()[0],
            "mended": StandInMended.objects.all().delete()[0],
        }
    return Answer(status=200, body={"deleted": deleted})


def _call_json(call: StandInCall) -> dict[str, Any]:
    return {
        "id": call.pk,
        "at": call.received_at.isoformat(),
        "method": call.method,
        "path": call.path,
        "user": call.user,
        "course": call.course,
        "status": call.status,
        "changed": call.changed,
        "fault": call.fault,
        "idempotency_key": call.idempotency_key,
        "request_id": call.request_id,
    }


# --- enrollments/ ---


def _list_enrollments(request: HttpRequest) -> Answer:
    """Inactive ones too, with the attributes, which the LMS's own API does not show."""
    found = StandInEnrollment.objects.order_by("pk")
    if request.GET.get("user"):
        found = found.filter(user=request.GET["user"])
    rows = [{**as_json(each), "attributes": each.attributes} for each in found[:MOST_ROWS]]
    return Answer(status=200, body={"count": found.count(), "enrollments": rows})


# --- mended/ ---


def _mend(request: HttpRequest) -> Answer:
    """What an administrator of the LMS does: {"user": ...} makes an account, {"course": ...} opens a run with room."""
    body = read_object(request)
    [field, *others] = [*body] or [""]
    name = body.get(field)
    if others or field not in {"user", "course"} or not isinstance(name, str):
        raise Refused("Give one field, user or course, and in it the name of what is mended.", field=field[:100])
    shaped = rules.is_username(name) if field == "user" else rules.is_course_key(name)
    if not shaped:
        raise Refused("No learner or course run could have this name.", field=field)
    StandInMended.objects.get_or_create(name=name)
    return Answer(status=201, body={field: name})


def _list_mended(request: HttpRequest) -> Answer:
    names = list(StandInMended.objects.order_by("pk").values_list("name", flat=True)[:MOST_ROWS])
    return Answer(status=200, body={"count": StandInMended.objects.count(), "mended": names})


# --- entitlements/ and accounts/ ---


def _list_entitlements(request: HttpRequest) -> Answer:
    found = StandInEntitlement.objects.order_by("pk")
    if request.GET.get("user"):
        found = found.filter(user=request.GET["user"])
    rows = [granted.as_json(each) for each in found[:MOST_ROWS]]
    return Answer(status=200, body={"count": found.count(), "entitlements": rows})


def _list_accounts(request: HttpRequest) -> Answer:
    """Those that were deactivated."""
    users = list(StandInAccount.objects.order_by("pk").values_list("user", flat=True)[:MOST_ROWS])
    return Answer(status=200, body={"count": StandInAccount.objects.count(), "deactivated": users})


faults = _endpoint(GET=_list_faults, POST=_order_fault, DELETE=_clear_faults)
calls = _endpoint(GET=_list_calls, DELETE=_empty)
enrollments = _endpoint(GET=_list_enrollments)
entitlements = _endpoint(GET=_list_entitlements)
accounts = _endpoint(GET=_list_accounts)
mended = _endpoint(GET=_list_mended, POST=_mend)
