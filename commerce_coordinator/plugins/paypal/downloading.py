"""One small file from an allowed address: no redirection is followed, nothing large or slow is read."""

import time

import requests

from commerce_coordinator.core.exceptions import WebhookRefused

#: Seconds for the whole, and for each wait within it.
LONGEST_DOWNLOAD_SECONDS = 5.0
TIMEOUT = (2.5, 2.5)
LARGEST_ANSWER_BYTES = 64 * 1024


def download(address: str) -> bytes:
    """The body of a 200, in ASCII. Raises WebhookRefused: 503 when it could not be had, 400 for a redirection."""
    ends = time.monotonic() + LONGEST_DOWNLOAD_SECONDS
    try:
        with (
            requests.Session() as session,
            session.get(address, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer,
        ):
            if answer.is_redirect or 300 <= answer.status_code < 400:
                raise WebhookRefused("certificate_refused", "PayPal's server redirects from that certificate.")
            if answer.status_code != requests.codes.ok:
                raise _unavailable(f"PayPal's server answered {answer.status_code} for the certificate.")
            body = b""
            for part in answer.iter_content(8192):
                body += part
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise _unavailable(f"The certificate is over {LARGEST_ANSWER_BYTES} bytes.")
                if time.monotonic() > ends:
                    raise _unavailable("The certificate came too slowly.")
    except requests.RequestException as error:
        raise _unavailable(f"The certificate could not be fetched: {type(error).__name__}.") from None
    if not body.isascii():
        raise _unavailable("PayPal's server answered with no certificate.")
    return body


def _unavailable(message: str) -> WebhookRefused:
    return WebhookRefused("certificate_unavailable", message, status=503)
