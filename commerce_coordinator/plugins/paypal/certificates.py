"""PayPal's certificates: from which addresses, by which roots, and how rarely they are fetched.

The address comes from a header, so whoever can reach us could choose it. Only PayPal's own addresses are fetched, an
answer counts only as a chain to a trusted root in PayPal's name, and what failed is not fetched again at once.
"""

import contextlib
import dataclasses
import functools
import re
import threading
import warnings
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as WaitedTooLong
from datetime import datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from django.conf import settings
from django.utils import timezone

from commerce_coordinator.core.exceptions import WebhookRefused

from .accounts import LIVE, SANDBOX
from .downloading import download
from .models import PayPalCertificate

#: In whose name PayPal signs (source: the check of the subject in PayPal's own SDKs).
NAMES = {LIVE: "messageverificationcerts.paypal.com", SANDBOX: "messageverificationcerts.sandbox.paypal.com"}

#: Exact: no user info, no other port, no query, no fragment, no dots or escapes in the path.
_ADDRESS = re.compile(
    r"https://(?P<host>api(?:-m)?(?P<sandbox>\.sandbox)?\.paypal\.com)(?::443)?"
    r"(?P<path>/v1/notifications/certs/[A-Za-z0-9_-]{1,128})",
    re.ASCII,
)

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

SMALLEST_KEY_BITS = 2048
#: A leaf and what leads to its root; PayPal's have two.
LONGEST_CHAIN = 8
REMEMBERED = 32
#: How long a failure stands before PayPal is asked again.
REST = {503: timedelta(seconds=15), 400: timedelta(minutes=5)}
FAILURES_REMEMBERED = 256
#: At a time; whoever names a third address meanwhile is told to come again.
MOST_DOWNLOADS = 2
LONGEST_WAIT_SECONDS = 10.0

REFUSED = "certificate_refused"
UNAVAILABLE = "certificate_unavailable"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signer:
    """The key of a verified chain, for as long as the whole chain is valid."""

    key: RSAPublicKey
    name: str
    not_before: datetime
    not_after: datetime

    def is_valid(self) -> bool:
        return self.not_before <= timezone.now() <= self.not_after


_lock = threading.Lock()
_signers: "OrderedDict[str, Signer]" = OrderedDict()
_failures: "OrderedDict[str, tuple[datetime, WebhookRefused]]" = OrderedDict()
_downloads: "dict[str, Future[Signer]]" = {}


def allowed_address(url: str, environment: str) -> str:
    """The address in its one form. Raises WebhookRefused for any other than PayPal's; a live account takes live's."""
    found = _ADDRESS.fullmatch(url)
    if found is None or (found["sandbox"] and environment != SANDBOX):
        raise WebhookRefused("certificate_url_forbidden", "The header PAYPAL-CERT-URL is no address of PayPal's.")
    return f"https://{found['host']}{found['path']}"


def signer_at(address: str, environment: str) -> Signer:
    """Who signs with the certificate at an allowed address. From memory, else from the database, else from PayPal.

    Raises WebhookRefused: 400 for what is no certificate of PayPal's, 503 for one that could not be had.
    """
    signer = _remembered(address) or _kept(address) or _fetched(address)
    if environment != SANDBOX and signer.name != NAMES[LIVE]:
        raise WebhookRefused(REFUSED, "The certificate is in another name than PayPal's for live events.")
    return signer


def forget_all() -> None:
    """What this process remembers; the database's rows stay."""
    with _lock:
        _signers.clear()
        _failures.clear()
    _roots.cache_clear()


def verified(pem: bytes) -> Signer:
    """The signer of a chain. Raises WebhookRefused when it does not lead to a trusted root in PayPal's name, now."""
    try:
        leaf, *intermediates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise WebhookRefused(UNAVAILABLE, "PayPal's server answered with no certificate.", status=503) from None
    store = _roots(settings.CC_PAYPAL_TRUSTED_ROOTS or certifi.where())
    policy = PolicyBuilder().store(store).time(timezone.now()).max_chain_depth(LONGEST_CHAIN)
    for name in NAMES.values():
        try:
            chain = policy.build_server_verifier(x509.DNSName(name)).verify(leaf, intermediates[:LONGEST_CHAIN])
        except VerificationError:
            continue
        key = leaf.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
            raise WebhookRefused(REFUSED, f"The certificate's key is no RSA key of {SMALLEST_KEY_BITS} bits or more.")
        return Signer(
            key=key,
            name=name,
            not_before=max(each.not_valid_before_utc for each in chain),
            not_after=min(each.not_valid_after_utc for each in chain),
        )
    raise WebhookRefused(REFUSED, "The certificate does not lead to a trusted root in PayPal's name, today.")


@functools.lru_cache(maxsize=4)
def _roots(path: str) -> Store:
    try:
        return Store(root_certificates(Path(path).read_bytes()))
    except (OSError, ValueError):  # ValueError: none in it
        raise WebhookRefused(
            "roots_unreadable", "CC_PAYPAL_TRUSTED_ROOTS is no readable PEM file here.", status=503
        ) from None


def root_certificates(pem: bytes) -> list[x509.Certificate]:
    """Those in a file that can be read. One by one: a strange old root, certifi has some, must not cost the others."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for block in _PEM.findall(pem):
            with contextlib.suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return found


def _remembered(address: str) -> Signer | None:
    with _lock:
        signer = _signers.get(address)
        if signer is not None:
            _signers.move_to_end(address)
    return signer if signer is not None and signer.is_valid() else None


def _kept(address: str) -> Signer | None:
    """From the database. None for one that is good no more: expired, or its root is trusted no longer."""
    _raise_failure(address)
    pem = PayPalCertificate.objects.filter(url=address).values_list("pem", flat=True).first()
    if pem is None:
        return None
    try:
        return _remember(address, verified(pem.encode()))
    except WebhookRefused as refusal:
        if refusal.code == "roots_unreadable":
            raise
        return None


def _fetched(address: str) -> Signer:
    """From PayPal: by one thread per address, the others wait for it."""
    with _lock:
        mine = address not in _downloads
        if mine:
            if len(_downloads) >= MOST_DOWNLOADS:
                raise WebhookRefused(UNAVAILABLE, "Other certificates are being fetched; send it again.", status=503)
            _downloads[address] = Future()
        download_of_it = _downloads[address]
    if not mine:
        try:
            return download_of_it.result(timeout=LONGEST_WAIT_SECONDS)
        except WaitedTooLong:
            raise WebhookRefused(UNAVAILABLE, "The certificate is still being fetched.", status=503) from None
    try:
        # Another thread may have had it since we looked.
        signer = _remembered(address) or _ask_paypal(address)
    except BaseException as error:
        download_of_it.set_exception(error)
        raise
    else:
        download_of_it.set_result(signer)
        return signer
    finally:
        with _lock:
            del _downloads[address]


def _ask_paypal(address: str) -> Signer:
    try:
        pem = download(address)
        signer = verified(pem)
    except WebhookRefused as refusal:
        with _lock:
            _failures[address] = (timezone.now() + REST[refusal.status], refusal)
            _failures.move_to_end(address)
            while len(_failures) > FAILURES_REMEMBERED:
                _failures.popitem(last=False)
        raise
    PayPalCertificate.objects.update_or_create(
        url=address, defaults={"pem": pem.decode("ascii"), "fetched_at": timezone.now()}
    )
    return _remember(address, signer)


def _raise_failure(address: str) -> None:
    with _lock:
        until, refusal = _failures.get(address, (None, None))
        if until is not None and until <= timezone.now():
            del _failures[address]
            return
    if refusal is not None:
        raise WebhookRefused(refusal.code, str(refusal), status=refusal.status)


def _remember(address: str, signer: Signer) -> Signer:
    with _lock:
        _failures.pop(address, None)
        _signers[address] = signer
        _signers.move_to_end(address)
        while len(_signers) > REMEMBERED:
            _signers.popitem(last=False)
    return signer
