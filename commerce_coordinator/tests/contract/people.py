"""Callers with real JWTs, as the LMS signs them: the key is the one of the running instance's folder."""

import json
import time
from typing import Any

import jwt

from commerce_coordinator.settings.local_keys import signing_key
from commerce_coordinator.tests.service import RunningService

LEARNER, OTHER, STAFF = "amina", "bruno", "lms-worker"
LMS_USER_IDS = {LEARNER: 1313, OTHER: 1414, STAFF: 7}


def headers(service: RunningService, username: str | None, **claims: Any) -> dict[str, str]:
    """The Authorization header of somebody's call; nothing for None. `claims` replace or, with None, remove."""
    if username is None:
        return {}
    key = json.loads(signing_key(service.folder / "data"))
    now = int(time.time())
    found = {
        "iss": f"{service.lms}/oauth2",
        "aud": "lms-key",
        "iat": now,
        "exp": now + 3600,
        "preferred_username": username,
        "user_id": LMS_USER_IDS.get(username),
        "email": f"{username}@example.com",
        "administrator": username == STAFF,
        "scopes": ["user_id", "email", "profile"],
        "is_restricted": False,
        "filters": [],
        **claims,
    }
    token = jwt.encode(
        {name: value for name, value in found.items() if value is not None},
        jwt.PyJWK(key, algorithm="RS512").key,
        algorithm="RS512",
        headers={"kid": key["kid"]},
    )
    return {"Authorization": f"JWT {token}"}
