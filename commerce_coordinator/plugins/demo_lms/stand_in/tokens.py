"""Access tokens: short-lived JWTs of clients, signed as the LMS signs, so that this service takes them too.

The user of a client is named as the client is, and is staff: `administrator`. A convention of the stand-in's own: a
client whose id begins with `unprivileged` is no staff on it.
"""

import dataclasses
import functools
import json

import jwt
from django.conf import settings

from . import identities

#: Seconds, as on the LMS.
LIFETIME = identities.LIFETIME

_ALGORITHM = "RS512"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls, as the token says."""

    username: str
    is_staff: bool


def issue(client_id: str, *, lifetime: int = LIFETIME) -> str:
    """A token. lifetime: seconds."""
    return identities.jwt_for(client_id, staff=not client_id.startswith("unprivileged"), lifetime=lifetime)


def caller_of(header: str) -> Caller | None:
    """Whose token an Authorization header carries; None unless we issued it and it has not run out."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "jwt":
        return None
    try:
        claims = jwt.decode(
            token.strip(),
            _public_key(settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"]),
            algorithms=[_ALGORITHM],
            audience=settings.JWT_AUTH["JWT_ISSUERS"][0]["AUDIENCE"],
            options={"require": ["exp", "aud", "preferred_username"]},
        )
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        # The library lets through what its JSON and text decoders raise on garbage.
        return None
    return Caller(username=claims["preferred_username"], is_staff=claims.get("administrator") is True)


def is_authorized(header: str) -> bool:
    """Whether an Authorization header carries a token that is taken."""
    return caller_of(header) is not None


@functools.lru_cache(4)
def _public_key(private_jwk: str) -> jwt.PyJWK:
    known = json.loads(private_jwk)
    return jwt.PyJWK({name: known[name] for name in ("kty", "n", "e")}, algorithm=_ALGORITHM)
