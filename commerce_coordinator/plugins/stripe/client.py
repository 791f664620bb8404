"""Stripe's API, called by Stripe's own library, over calls that time out and are noted in the attempt."""

import logging
import threading
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
import stripe
from django.conf import settings

from commerce_coordinator.core.clients import PASSING, ApiClient, retry_after
from commerce_coordinator.core.exceptions import GiveUp, Retry

# The library writes each call with its query to this log; the attempt has it without.
logging.getLogger("stripe").setLevel(logging.WARNING)

#: The most that Stripe gives at once; the library asks for the next page by itself.
PAGE_SIZE = 100


class _Calls(ApiClient):
    """One call of the library, sent and noted as every other call of this service."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> tuple[str, int, Mapping[str, str]]:
        """Raises Retry where there is no answer."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(urlsplit(self.url_root).path).lstrip("/")
        response = self._recorded(method.upper(), path, self._sender(method, url, dict(headers), {"data": body}))
        return response.content.decode(errors="replace"), response.status_code, response.headers


class _Transport(stripe.HTTPClient):
    """What the library calls instead of its own HTTP client."""

    name = "commerce_coordinator"

    def __init__(self, calls: _Calls) -> None:
        super().__init__()
        self._calls = calls

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        return self._calls.send(method, url, headers or {}, post_data)

    def close(self) -> None:
        self._calls.session.close()


class StripeApi:
    """What this service asks of Stripe, of one account. Raises Retry for what may pass, and GiveUp for the rest."""

    def __init__(self, api_key: str) -> None:
        calls = _Calls(
            requests.Session(),
            url_root=settings.CC_STRIPE_API_URL,
            connect_timeout=settings.CC_STRIPE_CONNECT_TIMEOUT,
            read_timeout=settings.CC_STRIPE_READ_TIMEOUT,
        )
        self._session = calls.session
        self._library = stripe.StripeClient(
            api_key,
            base_addresses={"api": settings.CC_STRIPE_API_URL.rstrip("/")},
            http_client=_Transport(calls),
            max_network_retries=0,  # retries belong to the delivery
        )

    def close(self) -> None:
        self._session.close()

    def payment_intent(self, payment_id: str) -> Mapping[str, Any] | None:
        """With its latest charge; None where Stripe has none of this id."""
        try:
            found = self._library.v1.payment_intents.retrieve(payment_id, params={"expand": ["latest_charge"]})
        except stripe.InvalidRequestError as error:
            if error.code == "resource_missing":
                return None
            _raise_ours(error)
        except stripe.StripeError as error:
            _raise_ours(error)
        return found.to_dict()

    def refunds(self, payment_id: str) -> list[dict[str, Any]]:
        """All refunds of the PaymentIntent, whatever became of them."""
        try:
            page = self._library.v1.refunds.list(params={"payment_intent": payment_id, "limit": PAGE_SIZE})
            return [refund.to_dict() for refund in page.auto_paging_iter()]
        except stripe.StripeError as error:
            _raise_ours(error)

    def disputes(self, payment_id: str) -> list[dict[str, Any]]:
        """The disputes of the PaymentIntent's charge."""
        try:
            page = self._library.v1.disputes.list(params={"payment_intent": payment_id, "limit": PAGE_SIZE})
            return [dispute.to_dict() for dispute in page.auto_paging_iter()]
        except stripe.StripeError as error:
            _raise_ours(error)

    def checkout_session(self, payment_id: str) -> Mapping[str, Any] | None:
        """The Checkout Session that the PaymentIntent belongs to, if any."""
        try:
            page = self._library.v1.checkout.sessions.list(params={"payment_intent": payment_id, "limit": 1})
        except stripe.StripeError as error:
            _raise_ours(error)
        return page.data[0].to_dict() if page.data else None

    def refund(self, payment_id: str, *, amount: int | None, metadata: Mapping[str, str], idempotency_key: str) -> None:
        """Give money back. amount: in Stripe's units; None for what is left.

        Raises AnsweredBefore for an answer of 5xx that Stripe gives again for this key.
        """
        params: Any = {"payment_intent": payment_id, "metadata": dict(metadata)}
        if amount is not None:
            params["amount"] = amount
        try:
            self._library.v1.refunds.create(params=params, options={"idempotency_key": idempotency_key})
        except stripe.StripeError as error:
            if error.code == "charge_already_refunded":
                return
            if (error.http_status or 0) >= 500 and _header(error, "idempotent-replayed") == "true":
                raise AnsweredBefore(_words_for(error)) from None
            _raise_ours(error)


class AnsweredBefore(Retry):
    """Stripe gave the answer of an earlier call again: that call has ended, and what it did can be seen."""


def stripe_api(account: str) -> StripeApi:
    """The API of this account, one for each thread: a requests session is not safe with threads.

    Raises GiveUp for an account without a key: a replay after the settings are mended does it.
    """
    key = settings.CC_STRIPE_API_KEYS.get(account)
    if not key:
        raise GiveUp(
            f'CC_STRIPE_API_KEYS has no key for the account "{account}", so Stripe cannot be called. '
            "Set it and replay this delivery."
        )
    known: dict[tuple[str, str], StripeApi] = _local.__dict__.setdefault("apis", {})
    place = (settings.CC_STRIPE_API_URL, key)
    if place not in known:
        known[place] = StripeApi(key)
    return known[place]


_local = threading.local()


def _raise_ours(error: stripe.StripeError) -> NoReturn:
    """By status: what Stripe says in words may quote what was sent, so its code alone is kept."""
    status = error.http_status
    # Below 400: a proxy's page, as a rule, which the library could not read.
    if status is None or status < 400 or status >= 500 or status in PASSING:
        raise Retry(_words_for(error), after=_seconds(_header(error, "retry-after"))) from None
    raise GiveUp(_words_for(error)) from None


def _words_for(error: stripe.StripeError) -> str:
    if error.http_status is None:
        return "No answer from Stripe."
    if error.http_status in (requests.codes.unauthorized, requests.codes.forbidden):
        return (
            f"Stripe answered {error.http_status}: the key in CC_STRIPE_API_KEYS is wrong, or may not do this. "
            "Mend it and replay this delivery."
        )
    about = error.code or getattr(error.error, "type", None) or "no code"
    param = getattr(error, "param", None)
    return f"Stripe answered {error.http_status}: {about}{f' ({param})' if param else ''}."


def _header(error: stripe.StripeError, name: str) -> str:
    headers = error.headers or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def _seconds(value: str) -> float | None:
    """Of the header Retry-After."""
    answer = requests.Response()
    answer.headers["Retry-After"] = value
    return retry_after(answer)
