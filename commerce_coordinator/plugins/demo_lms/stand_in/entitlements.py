"""The entitlements' API. As on the LMS it never asks whether there is one already: who posts twice makes two."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StandInEntitlement, StandInFault
from . import mended
from .bodies import Answer
from .serving import Received, receive, serve

_TARGET = StandInFault.Target.ENTITLEMENTS

#: Rows of a page: usual, and most.
PAGE_SIZE, LARGEST_PAGE = 50, 100
LONGEST_ORDER_NUMBER = 128


@never_cache
@csrf_exempt
def entitlements(request: HttpRequest) -> HttpResponse:
    """GET ?user=&uuid=: a page of entitlements, ended ones too. POST: one more."""
    received = receive(request, user=request.GET.get("user", ""), names=_names)
    query = request.GET.dict()
    path = request.build_absolute_uri(request.path)
    return serve(_TARGET, received, {"GET": lambda call: _page(call, query, path), "POST": _grant})


@never_cache
@csrf_exempt
def entitlement_of(request: HttpRequest, key: str) -> HttpResponse:
    """GET: one. DELETE: end it; 204, also when it has ended before."""
    return serve(
        _TARGET, receive(request), {"GET": lambda call: _one(call, key), "DELETE": lambda call: _end(call, key)}
    )


def as_json(each: StandInEntitlement) -> dict[str, Any]:
    return {
        "user": each.user,
        "uuid": str(each.uuid),
        "course_uuid": str(each.course_uuid),
        "enrollment_course_run": None,
        "expired_at": each.expired_at.isoformat() if each.expired_at else None,
        "created": each.created_at.isoformat(),
        "mode": each.mode,
        "order_number": each.order_number or None,
    }


def _page(received: Received, query: Mapping[str, str], path: str) -> Answer:
    found = _visible(received)
    if "uuid" in query:
        wanted = [_uuid(text) for text in query["uuid"].split(",")]
        found = found.filter(uuid__in=[each for each in wanted if each])
    number, size = _number(query.get("page"), 1), min(_number(query.get("page_size"), PAGE_SIZE), LARGEST_PAGE)
    count = found.count()
    pages = max(1, -(-count // size))
    if number > pages:
        return Answer(status=404, body={"detail": "Invalid page."})
    rows = found.order_by("pk")[(number - 1) * size : number * size]
    following = f"{path}?page={number + 1}&page_size={size}" if number < pages else None
    previous = f"{path}?page={number - 1}&page_size={size}" if number > 1 else None
    body = {"next": following, "previous": previous, "count": count, "num_pages": pages, "current_page": number}
    return Answer(status=200, body={**body, "results": [as_json(each) for each in rows]})


def _grant(received: Received) -> Answer:
    if not received.caller.is_staff:
        return _forbidden()
    body = received.body
    user, course, mode = _text(body, "user"), _uuid(body.get("course_uuid")), _text(body, "mode")
    order = body.get("order_number") or ""
    wrong = {}
    if not mended.is_known(user):
        wrong["user"] = [f"Object with username={user} does not exist."]
    if course is None:
        wrong["course_uuid"] = ["Must be a valid UUID."]
    if not 0 < len(mode) <= 100:
        wrong["mode"] = ["Not a valid string."]
    if not isinstance(order, str) or len(order) > LONGEST_ORDER_NUMBER:
        wrong["order_number"] = ["Not a valid string."]
    if wrong or course is None:
        return Answer(status=400, body=wrong)
    made = StandInEntitlement.objects.create(user=user, course_uuid=course, mode=mode, order_number=order)
    received.call.changed = True
    return Answer(status=201, body=as_json(made))


def _one(received: Received, key: str) -> Answer:
    found = _visible(received, of_all=received.caller.is_staff).filter(uuid=key).first()
    return Answer(status=200, body=as_json(found)) if found else _not_found()


def _end(received: Received, key: str) -> Answer:
    if not received.caller.is_staff:
        return _forbidden()
    found = StandInEntitlement.objects.select_for_update().filter(uuid=key).first()
    if found is None:
        return _not_found()
    received.call.user, received.call.course = found.user, str(found.course_uuid)
    if found.expired_at is None:
        found.expired_at = timezone.now()
        found.save()
        received.call.changed = True
    return Answer(status=204)


def _visible(received: Received, *, of_all: bool = False) -> "QuerySet[StandInEntitlement]":
    """Staff see those of the learner whom they name; others, and staff who name nobody, their own."""
    if of_all:
        return StandInEntitlement.objects.all()
    user = received.user if received.caller.is_staff and received.user else received.caller.username
    return StandInEntitlement.objects.filter(user=user)


def _names(body: Mapping[str, Any]) -> tuple[Any, Any]:
    return body.get("user", ""), body.get("course_uuid", "")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _number(text: str | None, usual: int) -> int:
    good = text is not None and text.isascii() and text.isdigit() and len(text) < 10
    return max(1, int(text)) if good and text else usual


def _forbidden() -> Answer:
    return Answer(status=403, body={"detail": "The caller may not do this."})


def _not_found() -> Answer:
    return Answer(status=404, body={"detail": "Not found."})
