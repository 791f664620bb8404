"""Log-in through the LMS, and out again."""

import logging
from typing import Any

from auth_backends.views import EdxOAuth2LogoutView
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from social_core.exceptions import AuthProviderError, AuthResponseError, SocialAuthBaseException
from social_django.utils import psa
from social_django.views import complete as complete_log_in

logger = logging.getLogger(__name__)

BACKEND = "edx-oauth2"


@never_cache
@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """To the LMS, and back to `?next=`, a page of ours. Without a client for it: to the admin's page for passwords."""
    wanted = safe_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted)
    if not settings.CC_LMS_SSO_CLIENT_ID:
        return redirect_to_login(wanted, reverse("admin:login"))
    request.session[REDIRECT_FIELD_NAME] = wanted
    return _begin(request, BACKEND)


@psa("social:complete")
def _begin(request: Any, backend: str) -> HttpResponse:
    # The library's own view asks for a POST, which a redirect of a learner's browser is not. What such a request could
    # do to him is to log him in as himself: the way back carries a state that only his session knows.
    return request.backend.start()


def complete(request: HttpRequest, backend: str) -> HttpResponse:
    """The LMS sends the browser back to here, with a code. Whatever goes wrong is a page, and no traceback."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)
    try:
        return complete_log_in(request, backend)
    except SocialAuthBaseException as error:
        away = isinstance(error, (AuthProviderError, AuthResponseError))
        logger.warning("A log-in through the LMS failed.", extra={"reason": type(error).__name__})
        return render(request, "accounts/login_failed.html", {"away": away}, status=503 if away else 403)


class LogoutView(EdxOAuth2LogoutView):
    """Out of this service, then out of the LMS; the LMS itself calls it with ?no_redirect=1."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return self.url if settings.CC_LMS_SSO_CLIENT_ID else settings.LOGIN_REDIRECT_URL


def safe_next(request: HttpRequest) -> str:
    """Where to go after log-in: a page of this host, or the first page."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return settings.LOGIN_REDIRECT_URL
