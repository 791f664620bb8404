"""Who the stand-in's users are, and their JWTs: RS512 and the claims of the LMS.

The stand-in keeps no users: whoever says a name is that user. That is for laptops and tests, as the page says.
"""

import json
import time
import zlib
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache
from django.core.signing import BadSignature, TimestampSigner

LIFETIME = 3600  # seconds
#: Seconds that the code of a log-in is good for; once.
CODE_LIFETIME = 60

_signer = TimestampSigner(salt="commerce_coordinator.plugins.demo_lms.code")


def user_id_of(username: str) -> int:
    """The same id for the same name, always."""
    return 1_000_000 + zlib.crc32(username.encode())


def jwt_for(username: str, *, staff: bool = False, lms_user_id: int | None = None, lifetime: int = LIFETIME) -> str:
    """A JWT as the LMS signs it. Needs JWT_PRIVATE_SIGNING_JWK, which local settings make. lifetime: seconds."""
    key = json.loads(settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"])
    issuer = settings.JWT_AUTH["JWT_ISSUERS"][0]
    now = int(time.time())
    claims = {
        "iss": issuer["ISSUER"],
        "aud": issuer["AUDIENCE"],
        "iat": now,
        "exp": now + lifetime,
        "preferred_username": username,
        "user_id": user_id_of(username) if lms_user_id is None else lms_user_id,
        "email": f"{username}@example.com",
        "name": username,
        "administrator": staff,
        "superuser": False,
        "scopes": ["user_id", "email", "profile"],
        "filters": [],
        "is_restricted": False,
        "version": "1.2.0",
    }
    signing = jwt.PyJWK(key, algorithm="RS512").key
    return jwt.encode(claims, signing, algorithm="RS512", headers={"kid": key["kid"]})


def code_for(username: str, *, staff: bool, client_id: str, redirect_uri: str) -> str:
    """The code of RFC 6749, 4.1.2: bound to its client and to the way back."""
    return _signer.sign_object([username, staff, client_id, redirect_uri])


def redeem(code: str, *, client_id: str, redirect_uri: str) -> dict[str, Any] | None:
    """Whose code this is: the arguments of `jwt_for`. None for one that is wrong, too old, or was used."""
    try:
        username, staff, its_client, its_uri = _signer.unsign_object(code, max_age=CODE_LIFETIME)
    except (BadSignature, ValueError, TypeError):
        return None
    if (its_client, its_uri) != (client_id, redirect_uri):
        return None
    if not cache.add(f"stand-in-code:{zlib.crc32(code.encode())}:{code[-20:]}", 1, CODE_LIFETIME + 1):
        return None
    return {"username": username, "staff": staff}
