"""What an operator may do beyond reading. Superusers may do all of it."""

from typing import Any

from django.http import HttpRequest

VIEW_PRIVATE = "console.view_private"
REPLAY = "console.replay"


def _user(request: HttpRequest) -> Any:
    return request.user


def sees_private(request: HttpRequest) -> bool:
    """Raw bodies, error texts and the private fields of payloads are shown to them alone."""
    return bool(_user(request).has_perm(VIEW_PRIVATE))


def may_replay(request: HttpRequest) -> bool:
    return bool(_user(request).has_perm(REPLAY))
