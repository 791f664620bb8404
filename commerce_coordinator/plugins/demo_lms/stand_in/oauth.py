"""POST oauth2/access_token: the grants of client credentials (RFC 6749, 4.4) and of codes (4.1.3), as JWTs only."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from ..models import StandInClient, StandInFault
from . import faults, identities, tokens
from .bodies import Answer

_TARGET = StandInFault.Target.OAUTH2


@never_cache
@csrf_exempt
def access_token(request: HttpRequest) -> HttpResponse:
    """{access_token, token_type, expires_in}; 400 or 401 with RFC 6749's error codes."""
    fault = faults.take(_TARGET, request.method or "")
    if fault is None:
        return _answer(request).response()
    # A token takes effect only when it arrives, so `before` and `after` are the same here.
    faults.pause(fault)
    lifetime = fault.lifetime or tokens.LIFETIME
    return (faults.answer(fault) if fault.status else _answer(request, lifetime)).response()


def _answer(request: HttpRequest, lifetime: int = tokens.LIFETIME) -> Answer:
    if request.method != "POST":
        return Answer(status=405, body={"error": "invalid_request"}, headers={"Allow": "POST"})
    try:
        form = request.POST
    except (SuspiciousOperation, MultiPartParserError, UnreadablePostError):
        return Answer(status=400, body={"error": "invalid_request"})
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        return Answer(status=400, body={"error": "unsupported_grant_type"})
    if form.get("token_type", "").lower() != "jwt":
        description = "Only JWTs are issued here: send token_type=jwt."
        return Answer(status=400, body={"error": "invalid_request", "error_description": description})
    if not _is_client(form.get("client_id", ""), form.get("client_secret", "")):
        return Answer(status=401, body={"error": "invalid_client"})
    return grant(form, lifetime)


def _client_credentials(form: QueryDict, lifetime: int) -> Answer:
    token = tokens.issue(form.get("client_id", ""), lifetime=lifetime)
    return Answer(status=200, body={"access_token": token, "token_type": "JWT", "expires_in": lifetime})


def _authorization_code(form: QueryDict, _: int) -> Answer:
    person = identities.redeem(
        form.get("code", ""), client_id=form.get("client_id", ""), redirect_uri=form.get("redirect_uri", "")
    )
    if person is None:
        return Answer(status=400, body={"error": "invalid_grant"})
    token = identities.jwt_for(**person)
    return Answer(status=200, body={"access_token": token, "token_type": "JWT", "expires_in": identities.LIFETIME})


_GRANTS: dict[str, Callable[[QueryDict, int], Answer]] = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
}


def _is_client(client_id: str, secret: str) -> bool:
    if not client_id or not secret:
        return False
    # The service's own client works before `provision_stand_in` ran, and costs no password hashing.
    if client_id == settings.CC_LMS_CLIENT_ID and constant_time_compare(secret, settings.CC_LMS_CLIENT_SECRET):
        return True
    client = StandInClient.objects.filter(client_id=client_id).first()
    return client is not None and client.has_secret(secret)
