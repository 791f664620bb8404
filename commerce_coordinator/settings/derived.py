"""Settings of the libraries that follow from our own: set when ours are known, the operator's file included."""

import json
from collections.abc import MutableMapping
from typing import Any


def derive(settings: MutableMapping[str, Any]) -> None:
    """Set what edx-drf-extensions, social-auth and django-cors-headers read."""
    settings["JWT_AUTH"] = _jwt_auth(settings)
    settings["CORS_ALLOWED_ORIGINS"] = settings["CC_CORS_ALLOWED_ORIGINS"]
    # Whoever may read answers and send cookies may post, with the token that he reads.
    trusted = [*settings.get("CSRF_TRUSTED_ORIGINS", []), *settings["CC_CORS_ALLOWED_ORIGINS"]]
    settings["CSRF_TRUSTED_ORIGINS"] = list(dict.fromkeys(trusted))
    settings["SOCIAL_AUTH_EDX_OAUTH2_KEY"] = settings["CC_LMS_SSO_CLIENT_ID"]
    settings["SOCIAL_AUTH_EDX_OAUTH2_SECRET"] = settings["CC_LMS_SSO_CLIENT_SECRET"]
    settings["SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT"] = settings["CC_LMS_URL_ROOT"]
    settings["SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT"] = settings["CC_LMS_PUBLIC_URL_ROOT"]
    settings["SOCIAL_AUTH_REQUESTS_TIMEOUT"] = settings["CC_LMS_READ_TIMEOUT"]


def _jwt_auth(settings: MutableMapping[str, Any]) -> dict[str, Any]:
    keys = settings["CC_LMS_JWT_JWK_SET"]
    return {
        "JWT_ALGORITHM": "RS512",
        "JWT_AUTH_HEADER_PREFIX": "JWT",
        "JWT_AUTH_COOKIE": "edx-jwt-cookie",
        "JWT_AUTH_COOKIE_HEADER_PAYLOAD": "edx-jwt-cookie-header-payload",
        "JWT_AUTH_COOKIE_SIGNATURE": "edx-jwt-cookie-signature",
        "JWT_DECODE_HANDLER": "commerce_coordinator.accounts.tokens.decode",
        "JWT_LEEWAY": 1,
        "JWT_ISSUERS": [
            {
                "ISSUER": settings["CC_LMS_JWT_ISSUER"],
                "AUDIENCE": settings["CC_LMS_JWT_AUDIENCE"],
                "SECRET_KEY": None,
            }
        ],
        # In a YAML file it may stand as a mapping.
        "JWT_PUBLIC_SIGNING_JWK_SET": keys if isinstance(keys, str) else json.dumps(keys),
    }
