"""GET oauth2/authorize: the LMS's side of a log-in (RFC 6749, 4.1.1), with a page that asks for a name only."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from ..models import StandInClient
from . import identities, rules
from .bodies import Answer, Refused, own_error, read_object

#: The one way back that the client is given (provision script), on this machine.
WAY_BACK = "/complete/edx-oauth2/"
_LARGEST_ID = 2**63 - 1


@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """The page; its form comes back to the same address, and goes on with a code."""
    client_id = request.GET.get("client_id", "")
    redirect_uri = request.GET.get("redirect_uri", "")
    # A way back that is not the client's own is never followed, not even to tell of the error (RFC 6749, 4.1.2.1).
    wrong = _wrong(request, client_id, redirect_uri)
    username = request.POST.get("username", "").strip()
    if not wrong and request.method == "POST":
        if rules.is_known(username):
            staff = "staff" in request.POST
            code = identities.code_for(username, staff=staff, client_id=client_id, redirect_uri=redirect_uri)
            query = urlencode({"code": code, "state": request.GET.get("state", "")})
            return HttpResponseRedirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}")
        wrong = "The stand-in LMS does not know this user."
    return render(request, "demo_lms/authorize.html", {"wrong": wrong}, status=400 if wrong else 200)


def _wrong(request: HttpRequest, client_id: str, redirect_uri: str) -> str:
    if "\x00" in client_id or not StandInClient.objects.filter(client_id=client_id).exists():
        return "No such client. Run `manage.py provision_stand_in`, which makes it."
    try:
        found = urlsplit(redirect_uri)
    except ValueError:
        return "The redirect_uri is none."
    ours = {request.get_host(), *(f"{name}:{request.get_port()}" for name in ("localhost", "127.0.0.1"))}
    if found.scheme not in {"http", "https"} or found.netloc not in ours or found.path != WAY_BACK:
        return "The redirect_uri is not the client's."
    return "" if request.GET.get("response_type") == "code" else "Only response_type=code is served here."


@never_cache
@csrf_exempt
@require_POST
def learner_token(request: HttpRequest) -> HttpResponse:
    """The stand-in's own: a JWT for a name, `{username, staff?, lms_user_id?}`. For tests and the demo."""
    try:
        body = read_object(request)
        username, staff, lms_user_id = body.get("username"), body.get("staff", False), body.get("lms_user_id")
        if not isinstance(username, str) or not rules.is_known(username):
            raise Refused("username must name a learner.", field="username")
        if not isinstance(staff, bool):
            raise Refused("staff must be true or false.", field="staff")
        is_id = isinstance(lms_user_id, int) and not isinstance(lms_user_id, bool) and 0 < lms_user_id <= _LARGEST_ID
        if lms_user_id is not None and not is_id:
            raise Refused("lms_user_id must be a whole number above 0.", field="lms_user_id")
    except Refused as refused:
        return own_error(refused).response()
    token = identities.jwt_for(username, staff=staff, lms_user_id=lms_user_id)
    return Answer(
        status=200, body={"access_token": token, "token_type": "JWT", "expires_in": identities.LIFETIME}
    ).response()


@never_cache
def logout(request: HttpRequest) -> HttpResponse:
    """The LMS's page after log-out. The stand-in has no session of its own, so there is nothing to end."""
    return render(request, "demo_lms/logged_out.html")
