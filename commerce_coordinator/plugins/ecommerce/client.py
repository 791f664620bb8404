"""The legacy shop as a client sees it.

Source of each fact: the shop's own code, openedx/ecommerce on GitHub (the last state before it was archived).
"""

import functools
import logging
import threading
import time
from typing import Any

import requests
from django.conf import settings

from commerce_coordinator.core.clients import ApiClient
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.oauth import ServiceSession

logger = logging.getLogger(__name__)

#: ecommerce/extensions/api/v2/views/orders.py: staff may filter by `username` and read any order by its number.
ORDERS = "api/v2/orders/"
ORDER = "api/v2/orders/{number}/"

#: Orders per call. The shop would give 10,000 (ecommerce/extensions/api/pagination.py), and take its time.
PAGE_SIZE = 100
#: Seconds after which no further page is asked for: somebody may be waiting.
SECONDS_FOR_PAGES = 10.0


class EcommerceClient(ApiClient):
    """Calls the shop with this service's own OAuth2 client, which must be staff there."""

    session: ServiceSession

    def __init__(self) -> None:
        timeouts = (settings.CC_ECOMMERCE_CONNECT_TIMEOUT, settings.CC_ECOMMERCE_READ_TIMEOUT)
        super().__init__(
            ServiceSession(
                settings.CC_LMS_URL_ROOT, settings.CC_LMS_CLIENT_ID, settings.CC_LMS_CLIENT_SECRET, timeout=timeouts
            ),
            url_root=settings.CC_ECOMMERCE_URL_ROOT,
            connect_timeout=timeouts[0],
            read_timeout=timeouts[1],
        )

    def renew_credentials(self) -> bool:
        self.session.forget_token()
        return True

    def orders_of(self, username: str, *, most: int) -> tuple[list[dict[str, Any]], bool]:
        """The learner's newest orders, `most` at most, and whether these are all. Raises Retry and GiveUp.

        The shop's filter compares as its database does, which takes `ada` for `ADA` on MySQL: what is not exactly this
        learner's is left out here.
        """
        found: list[dict[str, Any]] = []
        started = time.monotonic()
        for page in range(1, -(-most // PAGE_SIZE) + 1):
            if page > 1 and time.monotonic() - started > SECONDS_FOR_PAGES:
                return found, False
            params = {"username": username, "page": page, "page_size": PAGE_SIZE}
            response = self.call("GET", ORDERS, params=params)
            if response.status_code == requests.codes.not_found:
                if page == 1:
                    raise GiveUp("The legacy shop knows no list of orders: is CC_ECOMMERCE_URL_ROOT right?")
                return found, True  # fewer pages than a moment ago
            body = _object(response)
            orders = body.get("results")
            if not isinstance(orders, list) or not all(isinstance(order, dict) for order in orders):
                raise Retry("The legacy shop answered with something else than a page of orders.")
            found.extend(order for order in orders if owner_of(order) == username)
            if not body.get("next"):
                return found[:most], len(found) <= most
        return found[:most], False

    def order(self, number: str) -> dict[str, Any] | None:
        """One order, whoever's; None if the shop has none of this number. Raises Retry and GiveUp."""
        response = self.call("GET", ORDER, parts={"number": number})
        if response.status_code != requests.codes.not_found:
            return _object(response)
        if "json" not in response.headers.get("Content-Type", ""):
            # A page of a proxy or of another service: the API itself says so in JSON.
            raise GiveUp("What answers at CC_ECOMMERCE_URL_ROOT is not the API of the legacy shop.")
        return None

    def redeem(self, *, username: str, sku: str, code: str, idempotency_key: str | None) -> None:
        """Ask for a redemption. Returns whatever the shop answers: only its orders tell what came of it.

        ecommerce/coupons/views.py answers a success with a redirection to the receipt, a code that does not make the
        product free with one to the basket, and a refusal with a page and status 200.
        """
        self.call(
            "GET",
            settings.CC_ECOMMERCE_REDEEM_PATH.lstrip("/"),
            idempotency_key=idempotency_key,
            params={"sku": sku, "code": code, "username": username},
        )

    def _checked(self, response: requests.Response) -> requests.Response:
        if response.status_code == requests.codes.not_found or (response.is_redirect and _is_redemption(response)):
            return response
        return super()._checked(response)


def owner_of(order: dict[str, Any]) -> str | None:
    user = order.get("user")
    return user.get("username") if isinstance(user, dict) else None


def _is_redemption(response: requests.Response) -> bool:
    path = settings.CC_ECOMMERCE_REDEEM_PATH.strip("/")
    return bool(path) and f"/{path}" in (response.request.path_url or "").partition("?")[0]


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Retry(f"The legacy shop answered {response.status_code} with a body that is no JSON object.")
    return body


_local = threading.local()


def legacy_shop() -> EcommerceClient | None:
    """One client per thread (a requests session is not safe with threads), or None where there is no legacy shop."""
    if not settings.CC_ECOMMERCE_URL_ROOT:
        say_that_there_is_none()
        return None
    if not hasattr(_local, "client"):
        _local.client = EcommerceClient()
    client: EcommerceClient = _local.client
    return client


@functools.cache
def say_that_there_is_none() -> None:
    """Once per process."""
    logger.info("CC_ECOMMERCE_URL_ROOT is empty: there is no legacy shop, and its steps answer nothing.")
