"""For tests of endpoints: JWTs as the LMS signs them, with the key of the local settings.

client.get("/orders/order_history/", headers=as_user("amina"))
"""

import json
import time
from typing import Any

import jwt
from django.conf import settings


def lms_jwt(username: str, *, lms_user_id: int | None = 1313, staff: bool = False, **claims: Any) -> str:
    """A JWT with the LMS's claims, good for an hour. `claims` replace or, with None, remove."""
    key = json.loads(settings.JWT_AUTH["JWT_PRIVATE_SIGNING_JWK"])
    issuer = settings.JWT_AUTH["JWT_ISSUERS"][0]
    now = int(time.time())
    found = {
        "iss": issuer["ISSUER"],
        "aud": issuer["AUDIENCE"],
        "iat": now,
        "exp": now + 3600,
        "preferred_username": username,
        "user_id": lms_user_id,
        "email": f"{username}@example.com",
        "administrator": staff,
        "superuser": False,
        "scopes": ["user_id", "email", "profile"],
        "filters": [],
        "is_restricted": False,
        "version": "1.2.0",
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in found.items() if value is not None},
        jwt.PyJWK(key, algorithm="RS512").key,
        algorithm="RS512",
        headers={"kid": key["kid"]},
    )


def as_user(username: str, **claims: Any) -> dict[str, str]:
    """The header of a learner's call; `staff=True` for staff and for services."""
    return {"Authorization": f"JWT {lms_jwt(username, **claims)}"}
