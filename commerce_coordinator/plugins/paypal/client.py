"""PayPal's REST API as this service calls it (Orders v2 and Payments v2), with the app's own credentials."""

import threading
from collections.abc import Mapping
from typing import Any

import requests

from commerce_coordinator.core.clients import ApiClient, Send
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.payloads.money import Money

from .accounts import PayPalAccount, account_of
from .tokens import access_token, forget_token
from .values import exponent_of, is_reference, items

ORDER = "v2/checkout/orders/{order_id}"
CAPTURE_ORDER = ORDER + "/capture"
CAPTURE = "v2/payments/captures/{capture_id}"
REFUND = CAPTURE + "/refund"

CONNECT_TIMEOUT, READ_TIMEOUT = 3.05, 20.0

NOT_FOUND = requests.codes.not_found


class Refused(GiveUp):
    """PayPal will not do this. `issues`: its own names for why."""

    def __init__(self, message: str, *, issues: frozenset[str] = frozenset(), status: int = 0) -> None:
        super().__init__(message)
        self.issues = issues
        self.status = status


class PayPalClient(ApiClient):
    """Calls PayPal for one account. Raises Retry for what may pass, and Refused for the rest."""

    def __init__(self, account: PayPalAccount) -> None:
        super().__init__(
            requests.Session(),
            url_root=account.api_url,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
        )
        self.account = account

    def order(self, order_id: str) -> dict[str, Any] | None:
        """PayPal's order, with its captures and refunds; None where PayPal has none of this id, or none any more."""
        try:
            return _json(self.call("GET", ORDER, parts={"order_id": order_id}))
        except Refused as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def capture_order(self, order_id: str, *, request_id: str) -> None:
        """Take what the buyer has approved. PayPal remembers the request's id for 6 hours."""
        self.call(
            "POST", CAPTURE_ORDER, parts={"order_id": order_id}, headers={"PayPal-Request-Id": request_id}, json={}
        )

    def capture(self, capture_id: str) -> dict[str, Any]:
        return _json(self.call("GET", CAPTURE, parts={"capture_id": capture_id}))

    def refund(self, capture_id: str, *, money: Money | None, custom_id: str, request_id: str) -> None:
        """Give back this much, or what is left. PayPal remembers the request's id for 45 days."""
        body: dict[str, Any] = {"custom_id": custom_id}
        if money is not None:
            body["amount"] = {"currency_code": money.currency, "value": written(money)}
        self.call(
            "POST", REFUND, parts={"capture_id": capture_id}, headers={"PayPal-Request-Id": request_id}, json=body
        )

    # --- How ApiClient calls ---

    def renew_credentials(self) -> bool:
        forget_token(self.account)
        return True

    def _sender(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> Send:
        def send(traced: Mapping[str, str]) -> requests.Response:
            token = access_token(self.account, self.session)
            return self.session.request(
                method,
                url,
                headers={**traced, **headers, "Authorization": f"Bearer {token}"},
                timeout=self.timeout,
                allow_redirects=False,
                **options,
            )

        return send

    def _checked(self, response: requests.Response) -> requests.Response:
        try:
            return super()._checked(response)
        except Retry:
            raise
        except GiveUp:
            issues = issues_of(response)
            raise Refused(self.words_for(response), issues=frozenset(issues), status=response.status_code) from None

    def words_for(self, response: requests.Response) -> str:
        """PayPal's names for what is wrong; what it says in words may quote what was sent."""
        if response.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            return (
                f"PayPal answered {response.status_code}: the credentials in CC_PAYPAL are wrong, or may not do this. "
                "Mend them and replay this delivery."
            )
        issues = ", ".join(issues_of(response)) or "no issue named"
        return f"PayPal answered {response.status_code}: {issues}."


def issues_of(response: requests.Response) -> list[str]:
    """`details[].issue`, or else the error's `name` (source: PayPal's error responses)."""
    try:
        body = response.json()
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    found = [*(each.get("issue") for each in items(body, "details")), body.get("name")]
    return [each for each in found if isinstance(each, str) and is_reference(each) and len(each) <= 100][:3]


def written(money: Money) -> str:
    """A decimal text with as many places as PayPal takes. Raises ValueError for what PayPal cannot count."""
    places = exponent_of(money.currency)
    units = str(money.to_provider_units(exponent=places)).rjust(places + 1, "0")
    return f"{units[:-places]}.{units[-places:]}" if places else units


def paypal_client(account: str) -> PayPalClient:
    """One per thread and account. Raises GiveUp for an account that is not set."""
    found = account_of(account)
    if found is None:
        raise GiveUp(
            f'CC_PAYPAL has no account "{account}", so PayPal cannot be called. Set it and replay this delivery.'
        )
    clients: dict[PayPalAccount, PayPalClient] = _local.__dict__.setdefault("clients", {})
    if found not in clients:
        clients[found] = PayPalClient(found)
    return clients[found]


def forget_clients() -> None:
    """This thread's, with their connections."""
    for client in _local.__dict__.pop("clients", {}).values():
        client.session.close()


_local = threading.local()


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        # A proxy's page with status 200, as a rule: not PayPal's own answer.
        raise Retry(f"PayPal answered {response.status_code} with a body that is no JSON object.")
    return body
