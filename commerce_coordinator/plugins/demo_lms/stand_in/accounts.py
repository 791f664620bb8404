"""Deactivating a learner's account."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StandInAccount, StandInFault
from . import mended
from .bodies import Answer
from .serving import Received, receive, serve


@never_cache
@csrf_exempt
def deactivate(request: HttpRequest, username: str) -> HttpResponse:
    """POST: the account gets a password that nobody can use. As often as one likes."""
    return serve(StandInFault.Target.ACCOUNTS, receive(request, user=username), {"POST": _deactivate})


def _deactivate(received: Received) -> Answer:
    if not received.caller.is_staff:
        return Answer(status=403, body={"detail": "The caller may not do this."})
    if not mended.is_known(received.user):
        # The LMS does not catch that there is no such user: its page of errors is what comes.
        return Answer(
            status=500, body="<!DOCTYPE html><html><body><h1>Server Error (500)</h1></body></html>", html=True
        )
    _, made = StandInAccount.objects.get_or_create(user=received.user)
    received.call.changed = made
    return Answer(status=200, body={"username": received.user, "is_active": True})
