"""The LMS's JWTs, verified: RS512, one of the LMS's public keys, its issuer, our audience, not run out.

The setting JWT_DECODE_HANDLER names `decode`, so that edx-drf-extensions reads tokens by it too. Its own handler would
verify each token twice, take RS256 and log a traceback for every token that is wrong.
"""

import functools
from typing import Any

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: Later major versions of the LMS's claims may mean something else by the same names.
_NEWEST_MAJOR_VERSION = 1


def decode(token: str) -> dict[str, Any]:
    """The token's claims. Raises jwt.InvalidTokenError; the subclass ExpiredSignatureError when it ran out."""
    options = settings.JWT_AUTH
    try:
        claims = _verified(token, options)
    except jwt.InvalidTokenError:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        # The library lets through what its decoders raise on garbage.
        raise jwt.InvalidTokenError("The token is garbled.") from error
    if str(claims.get("version", "1")).partition(".")[0] != str(_NEWEST_MAJOR_VERSION):
        raise jwt.InvalidTokenError("The token's version is not known here.")
    # Older tokens have neither; the LMS's restricted ones were born expired then.
    return {"is_restricted": False, "filters": [], **claims}


def _verified(token: str, options: dict[str, Any]) -> dict[str, Any]:
    keys = _keys(options["JWT_PUBLIC_SIGNING_JWK_SET"])
    kid = jwt.get_unverified_header(token).get("kid")
    # A key that is named is the only one tried; a token without a name is tried with each.
    candidates = [key for name, key in keys if name == kid] or [key for _, key in keys]
    failure: jwt.InvalidTokenError = jwt.InvalidSignatureError("No key of the LMS fits.")
    for key in candidates:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[options["JWT_ALGORITHM"]],
                audience=[each["AUDIENCE"] for each in options["JWT_ISSUERS"]],
                issuer=[each["ISSUER"] for each in options["JWT_ISSUERS"]],
                leeway=options["JWT_LEEWAY"],
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt.InvalidSignatureError as error:
            failure = error
    raise failure


@functools.lru_cache(4)
def _keys(jwk_set: str) -> list[tuple[str | None, Any]]:
    """(name, public key) of each; none for an empty setting, so that no token is right."""
    if not jwk_set:
        return []
    try:
        return [(key.key_id, key.key) for key in jwt.PyJWKSet.from_json(jwk_set).keys if key.key_type == "RSA"]
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise ImproperlyConfigured(
            "CC_LMS_JWT_JWK_SET is no set of public keys. Take the LMS's JWT_PUBLIC_SIGNING_JWK_SET."
        ) from None
