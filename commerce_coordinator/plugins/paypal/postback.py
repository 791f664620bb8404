"""The other way to verify: PayPal is asked whether it sent this. It costs a call, and PayPal must be reachable."""

import json
import logging

import requests

from commerce_coordinator.core.exceptions import WebhookRefused

from .accounts import PayPalAccount
from .tokens import TIMEOUT, access_token, forget_token
from .verification import ALGORITHM, Transmission

logger = logging.getLogger(__name__)

PATH = "/v1/notifications/verify-webhook-signature"

#: Answers that say nothing of the signature: our credentials, PayPal's limits.
_OUR_TROUBLE = frozenset({401, 403, 404, 408, 425, 429})


def verify_by_postback(transmission: Transmission, body: bytes, account: PayPalAccount) -> None:
    """Raise WebhookRefused unless PayPal says SUCCESS for one of the account's webhook ids; 503: it said nothing."""
    _check_is_one_object(body)
    with requests.Session() as session:
        if not any(_is_success(session, transmission, body, account, each) for each in account.webhook_ids):
            raise WebhookRefused("signature_invalid", "PayPal says that the signature does not match the body.")


def _check_is_one_object(body: bytes) -> None:
    """It is put into our JSON as it is: `{...}, "webhook_id": ...` would put words into our mouth."""
    try:
        found = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WebhookRefused("body_not_json", "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise WebhookRefused("body_not_an_object", "The body is not a JSON object.")


def question(transmission: Transmission, body: bytes, webhook_id: str) -> bytes:
    """The raw body stands in it byte for byte: read and written again it would have another checksum."""
    asked = {
        "auth_algo": ALGORITHM,
        "cert_url": transmission.certificate_address,
        "transmission_id": transmission.id,
        "transmission_sig": transmission.encoded_signature,
        "transmission_time": transmission.time,
        "webhook_id": webhook_id,
    }
    return json.dumps(asked).encode()[:-1] + b', "webhook_event": ' + body + b"}"


def _is_success(
    session: requests.Session, transmission: Transmission, body: bytes, account: PayPalAccount, webhook_id: str
) -> bool:
    try:
        answer = session.post(
            account.api_url + PATH,
            data=question(transmission, body, webhook_id),
            headers={
                "Authorization": f"Bearer {access_token(account, session)}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        status = answer.status_code
        if status == requests.codes.ok:
            told = answer.json()
            return isinstance(told, dict) and told.get("verification_status") == "SUCCESS"
    except requests.RequestException as error:
        logger.warning("PayPal could not be asked for a signature.", extra={"error_class": type(error).__name__})
        raise _unavailable() from None
    if status == requests.codes.unauthorized:
        forget_token(account)
    if status >= 500 or status in _OUR_TROUBLE or status < 400:
        logger.warning("PayPal did not judge a signature.", extra={"status": status})
        raise _unavailable()
    return False  # PayPal finds the question itself wrong: an id or a signature that cannot be its own


def _unavailable() -> WebhookRefused:
    return WebhookRefused("postback_unavailable", "PayPal could not be asked; send it again.", status=503)
