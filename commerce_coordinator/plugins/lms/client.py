"""The Open edX LMS as a client sees it. Facts are from edx-platform's enrolment API."""

import threading
from typing import Any

import requests
from django.conf import settings
from edx_django_utils.cache import TieredCache
from edx_rest_api_client.client import OAuthAPIClient

from commerce_coordinator.core.clients import PASSING, ApiClient
from commerce_coordinator.core.exceptions import Retry

ENROLLMENT = "api/enrollment/v1/enrollment"

#: 406: a learner whom the LMS does not know yet.
NOT_ACCEPTABLE = 406


class LmsClient(ApiClient):
    """Calls the LMS with this service's own OAuth2 client."""

    passing = PASSING | {NOT_ACCEPTABLE}

    def __init__(self) -> None:
        timeouts = (settings.CC_LMS_CONNECT_TIMEOUT, settings.CC_LMS_READ_TIMEOUT)
        super().__init__(
            OAuthAPIClient(
                settings.CC_LMS_URL_ROOT,
                settings.CC_LMS_CLIENT_ID,
                settings.CC_LMS_CLIENT_SECRET,
                timeout=timeouts,  # of the token's call; ApiClient passes those of each other call
            ),
            url_root=settings.CC_LMS_URL_ROOT,
            connect_timeout=timeouts[0],
            read_timeout=timeouts[1],
        )

    def renew_credentials(self) -> bool:
        TieredCache.delete_all_tiers(token_cache_key())
        return True

    def enrollment(self, username: str, course_key: str) -> dict[str, Any] | None:
        """The learner's enrolment in the course, active or not; None if there never was one."""
        response = self.call(
            "GET",
            ENROLLMENT + "/{username},{course_key}",
            parts={"course_key": course_key},
            private_parts={"username": username},
        )
        if not response.content.strip():
            return None
        found = _json(response)
        return found if isinstance(found, dict) and found else None

    def enroll(
        self,
        *,
        username: str,
        course_key: str,
        mode: str,
        attributes: list[dict[str, str]],
        idempotency_key: str | None = None,
    ) -> None:
        """Create, reactivate or change an enrolment. Raises GiveUp on 400, 403, 404; Retry on what may pass."""
        response = self.call(
            "POST",
            ENROLLMENT,
            idempotency_key=idempotency_key,
            json={
                "user": username,
                "course_details": {"course_id": course_key},
                "mode": mode,
                "is_active": True,
                "enrollment_attributes": attributes,
            },
        )
        answer = _json(response)
        if not isinstance(answer, dict) or answer.get("is_active") is not True or answer.get("mode") != mode:
            raise Retry("The LMS answered, but not with an active enrolment in the mode that was asked for.")


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        # A proxy's page with status 200, as a rule: not the LMS's own answer.
        raise Retry(f"The LMS answered {response.status_code} with a body that is not JSON.") from None


def token_cache_key() -> str:
    """Where edx_rest_api_client keeps our token. A test notices when the library names it otherwise."""
    return (
        "edx_rest_api_client.access_token.jwt.client_credentials."
        f"{settings.CC_LMS_CLIENT_ID}.{settings.CC_LMS_URL_ROOT.rstrip('/')}/oauth2/access_token"
    )


_local = threading.local()


def lms_client() -> LmsClient:
    """One client per thread: a requests session keeps connections open, and is not safe with threads."""
    if not hasattr(_local, "client"):
        _local.client = LmsClient()
    client: LmsClient = _local.client
    return client
