"""Is this a set of public keys (RFC 7517) that the LMS's JWTs can be verified by?"""

import json
from collections.abc import Mapping
from typing import Any

import jwt

#: The members of an RSA key that only its owner may have (RFC 7518, 6.3.2).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_SHORTEST_KEY = 2048  # bits: the least for RS512, RFC 7518, 3.3


def complaint(value: Any) -> str:
    """What is wrong, in words that follow the setting's name and show no value; empty when nothing is."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return "is no JSON. Take the LMS's JWT_PUBLIC_SIGNING_JWK_SET."
    keys = found.get("keys") if isinstance(found, Mapping) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, Mapping) for key in keys):
        return 'must be a set of keys, {"keys": [...]}, with one key or more.'
    for key in keys:
        if key.get("kty") != "RSA":
            return "may hold RSA keys only: the LMS signs with RS512, and a shared secret is no public key."
        if _PRIVATE & key.keys():
            return "has a private key in it. Give public keys (kty, n, e, kid), and give the LMS a new key."
        try:
            bits = jwt.PyJWK(dict(key), algorithm="RS512").key.key_size
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            return "has a key in it that is none: n and e must be numbers in base64url."
        if bits < _SHORTEST_KEY:
            return f"has a key in it that is shorter than {_SHORTEST_KEY} bits."
    return ""
