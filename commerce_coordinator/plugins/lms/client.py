"""The Open edX LMS as a client sees it. Facts are from edx-platform's enrolment API."""

import threading
from collections.abc import Iterator
from typing import Any

import requests
from django.conf import settings

from commerce_coordinator.core.clients import PASSING, ApiClient
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.oauth import ServiceSession

ENROLLMENT = "api/enrollment/v1/enrollment"
ENTITLEMENTS = "api/entitlements/v1/entitlements/"
ENTITLEMENT = ENTITLEMENTS + "{uuid}/"
DEACTIVATE = "api/user/v1/accounts/{username}/deactivate/"

#: 406: a learner whom the LMS does not know yet.
NOT_ACCEPTABLE = 406

#: Of one learner's entitlements: rows of a page (the LMS's most), and pages that are read.
PAGE_SIZE = 100
MOST_PAGES = 20


class LmsClient(ApiClient):
    """Calls the LMS with this service's own OAuth2 client."""

    session: ServiceSession
    passing = PASSING | {NOT_ACCEPTABLE}

    def __init__(self) -> None:
        timeouts = (settings.CC_LMS_CONNECT_TIMEOUT, settings.CC_LMS_READ_TIMEOUT)
        super().__init__(
            ServiceSession(
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
        self.session.forget_token()
        return True

    def may_pass(self, response: requests.Response) -> bool:
        return _is_unknown_learner(response) or super().may_pass(response)

    def words_for(self, response: requests.Response) -> str:
        if _is_unknown_learner(response):
            # Its own text names the learner, and says less to whoever finds the dead letter.
            return (
                f"The LMS does not know this learner yet ({response.status_code}). It is tried again; if it ends here, "
                "see whether the learner's account exists on the LMS under the user name of the order."
            )
        return super().words_for(response)

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
        answer = self._post_enrollment(
            username, course_key, mode, is_active=True, attributes=attributes, idempotency_key=idempotency_key
        )
        if answer.get("is_active") is not True or answer.get("mode") != mode:
            raise Retry("The LMS answered, but not with an active enrolment in the mode that was asked for.")

    def unenroll(self, *, username: str, course_key: str, mode: str, idempotency_key: str | None = None) -> None:
        """End an enrolment. `mode` must be the one that it has now: the LMS demands it. Raises as `enroll`."""
        answer = self._post_enrollment(
            username, course_key, mode, is_active=False, attributes=None, idempotency_key=idempotency_key
        )
        if answer.get("is_active") is not False:
            raise Retry("The LMS answered, but not with an enrolment that has ended.")

    def _post_enrollment(
        self,
        username: str,
        course_key: str,
        mode: str,
        *,
        is_active: bool,
        attributes: list[dict[str, str]] | None,
        idempotency_key: str | None,
    ) -> dict[str, Any]:
        wish: dict[str, Any] = {
            "user": username,
            "course_details": {"course_id": course_key},
            "mode": mode,
            "is_active": is_active,
        }
        if attributes is not None:  # an empty list would take away those that are there
            wish["enrollment_attributes"] = attributes
        response = self.call("POST", ENROLLMENT, idempotency_key=idempotency_key, json=wish)
        answer = _json(response)
        return answer if isinstance(answer, dict) else {}

    def entitlement(self, *, username: str, course_uuid: str, order_number: str) -> dict[str, Any] | None:
        """The entitlement to this course that this order gave, unless it has expired; None if there is none."""
        # The LMS filters by user and by the entitlement's own uuid only; the rest is compared here.
        return next(
            (
                each
                for each in self._entitlements(username)
                if each.get("course_uuid") == course_uuid
                and each.get("user", username) == username
                and each.get("order_number") == order_number
                and not each.get("expired_at")
            ),
            None,
        )

    def _entitlements(self, username: str) -> Iterator[dict[str, Any]]:
        """All of the learner's, expired ones too, page by page. Raises Retry for what is no list of them."""
        for page in range(1, MOST_PAGES + 1):
            query = {"user": username, "page": str(page), "page_size": str(PAGE_SIZE)}
            found = _json(self.call("GET", ENTITLEMENTS, params=query))
            results = found.get("results") if isinstance(found, dict) else None
            if not isinstance(results, list) or not all(isinstance(each, dict) for each in results):
                raise Retry("The LMS answered with something else than a page of entitlements.")
            yield from results
            if not found.get("next"):
                return
        raise GiveUp(f"The LMS has more than {MOST_PAGES * PAGE_SIZE} entitlements of this learner: not all were read.")

    def entitle(
        self, *, username: str, course_uuid: str, mode: str, order_number: str, idempotency_key: str | None = None
    ) -> str:
        """Grant an entitlement; its uuid on the LMS. Calling twice makes two: look first. Raises as `enroll`."""
        response = self.call(
            "POST",
            ENTITLEMENTS,
            idempotency_key=idempotency_key,
            json={
                "user": username,
                "course_uuid": course_uuid,
                "mode": mode,
                "order_number": order_number,
                "email_opt_in": False,
            },
        )
        answer = _json(response)
        if not isinstance(answer, dict) or not isinstance(answer.get("uuid"), str):
            raise Retry("The LMS answered, but not with an entitlement.")
        return str(answer["uuid"])

    def revoke_entitlement(self, uuid: str, *, idempotency_key: str | None = None) -> None:
        """End an entitlement, and the enrolment that came of it. Doing it twice is no error on the LMS."""
        response = self.call("DELETE", ENTITLEMENT, parts={"uuid": uuid}, idempotency_key=idempotency_key)
        if response.status_code != requests.codes.no_content:
            raise Retry(f"The LMS answered {response.status_code}, but not that the entitlement has ended.")

    def deactivate_account(self, username: str, *, idempotency_key: str | None = None) -> None:
        """Close a learner's account. Doing it twice is no error on the LMS."""
        response = self.call("POST", DEACTIVATE, private_parts={"username": username}, idempotency_key=idempotency_key)
        if not isinstance(_json(response), dict):
            raise Retry("The LMS answered, but not with the account that was to be closed.")


def _is_unknown_learner(response: requests.Response) -> bool:
    """406 of the enrolment API; of the entitlements' API a 400 that finds fault with the field `user` alone."""
    if response.status_code != requests.codes.bad_request:
        return response.status_code == NOT_ACCEPTABLE
    try:
        body = response.json()
    except ValueError:
        return False
    return isinstance(body, dict) and body.keys() == {"user"}


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        # A proxy's page with status 200, as a rule: not the LMS's own answer.
        raise Retry(f"The LMS answered {response.status_code} with a body that is not JSON.") from None


_local = threading.local()


def lms_client() -> LmsClient:
    """One client per thread: a requests session keeps connections open, and is not safe with threads."""
    if not hasattr(_local, "client"):
        _local.client = LmsClient()
    client: LmsClient = _local.client
    return client
