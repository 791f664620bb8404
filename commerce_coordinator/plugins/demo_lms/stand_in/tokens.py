"""Access tokens: short-lived JWTs, signed with a key derived from this instance's SECRET_KEY.

The LMS signs with RS512 or HS256; a client sends a token back unread, so HS256 is enough here.
"""

import time

import jwt
from django.utils.crypto import salted_hmac

#: Seconds, as on the LMS.
LIFETIME = 3600

_ALGORITHM = "HS256"
_AUDIENCE = "demo-lms"


def issue(client_id: str) -> str:
    now = int(time.time())
    claims = {"aud": _AUDIENCE, "preferred_username": client_id, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, _key(), algorithm=_ALGORITHM)


def is_authorized(header: str) -> bool:
    """Whether an Authorization header carries a token that we issued and that has not run out."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "jwt":
        return False
    try:
        jwt.decode(
            token.strip(),
            _key(),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["exp", "aud", "preferred_username"]},
        )
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        # The library lets through what its JSON and text decoders raise on garbage.
        return False
    return True


def _key() -> str:
    return salted_hmac("commerce_coordinator.plugins.demo_lms.tokens", "key", algorithm="sha256").hexdigest()
