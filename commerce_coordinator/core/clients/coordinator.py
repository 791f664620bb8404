"""A Coordinator's API as a client sees it: our own, from processes that may not record signals, or another's.

client = CoordinatorClient(
    "https://coordinator.example.com", lms_url_root="https://lms.example.com", client_id="shop", client_secret="..."
)
client.send_signal("bookshop.book_ordered", {"order_number": "B-1"}, idempotency_key="B-1")
"""

import dataclasses
import threading
import uuid
from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings

from commerce_coordinator.core.clients import PASSING, ApiClient
from commerce_coordinator.core.deliveries.running import RunningAttempt
from commerce_coordinator.core.exceptions import Retry
from commerce_coordinator.core.oauth import ServiceSession

SEND_SIGNAL = "api/v1/signals/{name}/send/"

#: Which attempt sends. Taken from a coordinator's own service account only, and looked up.
DELIVERY_HEADER = "X-Coordinator-Delivery"
ATTEMPT_HEADER = "X-Coordinator-Attempt"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentSignal:
    """What became of a sending. `new` is False when an earlier one was found instead."""

    dispatch: uuid.UUID
    new: bool
    deliveries: tuple[tuple[str, uuid.UUID], ...]
    trace_id: str


class CoordinatorClient(ApiClient):
    """Calls a coordinator with a JWT that the LMS gives to an OAuth2 client of its own. For one thread.

    lms_url_root: where the token comes from. Timeouts: seconds, for each call.
    """

    session: ServiceSession
    #: 409 says that the key came before with another payload, which does not heal.
    passing = PASSING - {requests.codes.conflict}

    def __init__(
        self,
        url_root: str,
        *,
        lms_url_root: str,
        client_id: str,
        client_secret: str,
        connect_timeout: float = 3.05,
        read_timeout: float = 15.0,
    ) -> None:
        super().__init__(
            ServiceSession(lms_url_root, client_id, client_secret, timeout=(connect_timeout, read_timeout)),
            url_root=url_root,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )

    def renew_credentials(self) -> bool:
        self.session.forget_token()
        return True

    def send_signal(
        self,
        name: str,
        payload: Mapping[str, Any],
        *,
        sender: str = "",
        idempotency_key: str | None = None,
        attempt: RunningAttempt | None = None,
    ) -> SentSignal:
        """Send a signal. The same key finds the first sending; without one, a second call may send a second time.

        name: dotted path, or `plugin.signal`. payload: of JSON types. attempt: the coordinator's own, which sends it.
        Raises GiveUp for what will not heal (400, 403, 404, 409, 413), Retry for what may pass.
        """
        headers = {}
        if attempt is not None:
            headers = {DELIVERY_HEADER: str(attempt.delivery_id), ATTEMPT_HEADER: str(attempt.attempt_id or "")}
        body = {"payload": dict(payload), **({"sender": sender} if sender else {})}
        response = self.call(
            "POST", SEND_SIGNAL, parts={"name": name}, idempotency_key=idempotency_key, headers=headers, json=body
        )
        try:
            return _read(response.json())
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Retry(f"The far side answered {response.status_code}, but with no dispatch.") from None


def _read(answer: Any) -> SentSignal:
    return SentSignal(
        dispatch=uuid.UUID(answer["dispatch"]),
        new=answer["new"] is True,
        deliveries=tuple((str(each["receiver"]), uuid.UUID(each["id"])) for each in answer["deliveries"]),
        trace_id=str(answer["trace_id"]),
    )


_local = threading.local()


def coordinator_client() -> CoordinatorClient:
    """The client of our own API, one per thread: a requests session keeps connections open and is not for several."""
    client_id, client_secret = credentials()
    options: dict[str, Any] = {
        "url_root": settings.CC_API_URL,
        "lms_url_root": settings.CC_LMS_URL_ROOT,
        "client_id": client_id,
        "client_secret": client_secret,
        "connect_timeout": settings.CC_API_CONNECT_TIMEOUT,
        "read_timeout": settings.CC_API_READ_TIMEOUT,
    }
    if getattr(_local, "options", None) != options:
        _local.options, _local.client = options, CoordinatorClient(**options)
    client: CoordinatorClient = _local.client
    return client


def credentials() -> tuple[str, str]:
    """(id, secret) of the OAuth2 client that our own calls are made with."""
    if settings.CC_API_CLIENT_ID:
        return settings.CC_API_CLIENT_ID, settings.CC_API_CLIENT_SECRET
    return settings.CC_LMS_CLIENT_ID, settings.CC_LMS_CLIENT_SECRET


def service_username() -> str:
    """The user whom the LMS names in the tokens of our own calls."""
    return settings.CC_API_USERNAME or credentials()[0]
