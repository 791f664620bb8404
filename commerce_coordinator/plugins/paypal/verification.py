"""Who sent it? PayPal signs `<transmission id>|<time>|<webhook id>|<crc32 of the body>`: RSA PKCS#1 v1.5, SHA-256.

Source: PayPal's documentation of webhook messages. There is no check of the age: whether a redelivery gets a new time
is not documented.
"""

import base64
import binascii
import dataclasses
import re
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.http import HttpRequest

from commerce_coordinator.core.exceptions import WebhookRefused

from .accounts import PayPalAccount
from .certificates import allowed_address, signer_at

ALGORITHM = "SHA256withRSA"

#: What may stand between the bars of the signed text. A server joins repeated headers by a comma, which is not in it.
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_TIME = re.compile(r"[0-9TtZz:.+-]{10,40}", re.ASCII)
LONGEST_HEADER = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transmission:
    """What the headers of one request say, each of them well formed."""

    id: str
    time: str
    signature: bytes
    certificate_address: str

    @property
    def encoded_signature(self) -> str:
        return base64.b64encode(self.signature).decode("ascii")


def transmission_of(request: HttpRequest, account: PayPalAccount) -> Transmission:
    """The headers, read strictly. Raises WebhookRefused for the first that is not as PayPal sends it."""
    if _header(request, "PAYPAL-AUTH-ALGO") != ALGORITHM:
        raise WebhookRefused("algorithm_unknown", f"The header PAYPAL-AUTH-ALGO is not {ALGORITHM}.")
    transmission_id = _header(request, "PAYPAL-TRANSMISSION-ID")
    if not _ID.fullmatch(transmission_id):
        raise _malformed("PAYPAL-TRANSMISSION-ID")
    transmission_time = _header(request, "PAYPAL-TRANSMISSION-TIME")
    if not _TIME.fullmatch(transmission_time):
        raise _malformed("PAYPAL-TRANSMISSION-TIME")
    written = _header(request, "PAYPAL-TRANSMISSION-SIG")
    try:
        signature = base64.b64decode(written, validate=True)
    except binascii.Error:
        raise _malformed("PAYPAL-TRANSMISSION-SIG") from None
    # The last letters have bits to spare: other texts would be decoded to the same bytes.
    if not signature or base64.b64encode(signature) != written.encode("ascii"):
        raise _malformed("PAYPAL-TRANSMISSION-SIG")
    return Transmission(
        id=transmission_id,
        time=transmission_time,
        signature=signature,
        certificate_address=allowed_address(_header(request, "PAYPAL-CERT-URL"), account.environment),
    )


def verify_offline(transmission: Transmission, body: bytes, account: PayPalAccount) -> None:
    """Raise WebhookRefused unless PayPal signed exactly these bytes for a webhook of this account."""
    signer = signer_at(transmission.certificate_address, account.environment)
    checksum = zlib.crc32(body)
    for webhook_id in account.signed_for:
        signed = f"{transmission.id}|{transmission.time}|{webhook_id}|{checksum}"
        try:
            signer.key.verify(transmission.signature, signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return
    raise WebhookRefused("signature_invalid", "The signature does not match the body.")


def _header(request: HttpRequest, name: str) -> str:
    value = request.headers.get(name, "")
    if not value:
        raise WebhookRefused("signature_missing", f"The header {name} is missing.")
    if len(value) > LONGEST_HEADER or not value.isascii() or not value.isprintable():
        raise _malformed(name)
    return value


def _malformed(name: str) -> WebhookRefused:
    return WebhookRefused("signature_malformed", f"The header {name} is not as PayPal sends it.")
