"""JWTs of the LMS at the REST endpoints: in the header `Authorization: JWT ...`, or in the micro-frontends' cookies."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from rest_framework import exceptions
from rest_framework.request import Request

from .linking import Refused, account_of, person_of
from .models import User

logger = logging.getLogger(__name__)


class LmsJwtAuthentication(JwtAuthentication):
    """edx-drf-extensions' class, with the account found by our rules.

    A cookie that has run out is as if there were none, so that a session may count. A missing CSRF token (403), an
    account that may not be used (401) and a database that is away (503) are final with cookies too.
    """

    _final: Exception | None = None

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        found = super().authenticate(request)
        if found is None and self._final is not None:
            raise self._final
        return found

    def authenticate_credentials(self, payload: Mapping[str, Any]) -> User:
        try:
            return account_of(person_of(payload, self.get_jwt_claim_attribute_map()))
        except Refused as refused:
            logger.warning("A token was refused.", extra={"reason": str(refused)})
            self._final = exceptions.AuthenticationFailed(str(refused))
            raise self._final from None
        except DatabaseError as error:
            self._final = error
            raise

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.APIException as error:  # a body that cannot be read, too: the check looks for a form
            self._final = error
            raise
