"""The key pair of the stand-in LMS: made once per data folder, so that no key stands in the repository."""

import contextlib
import json
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

FILE = "lms-jwt-key.json"


def signing_key(folder: Path) -> str:
    """The private key as a JWK (RFC 7517) in JSON; the same for all processes that share the folder."""
    path = folder / FILE
    if not path.exists():
        jwk = RSAAlgorithm.to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=2048), as_dict=True)
        draft = folder / f"{FILE}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump({**jwk, "kid": secrets.token_hex(4)}, stream)
        # Two processes may be here at once: the first one's key stands, and a reader never sees half a file.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="utf-8")


def public_set(signing_key: str) -> str:
    """The set of public keys that belongs to it, as the setting JWT_PUBLIC_SIGNING_JWK_SET takes it."""
    jwk = json.loads(signing_key)
    public = {name: jwk[name] for name in ("kty", "n", "e", "kid")}
    return json.dumps({"keys": [{**public, "alg": "RS512", "use": "sig"}]})
