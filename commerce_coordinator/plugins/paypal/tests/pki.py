"""Certificates for tests: a root of our own, an intermediate, and leaves as PayPal's are, or as they must not be."""

import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIVE_NAME = "messageverificationcerts.paypal.com"
SANDBOX_NAME = "messageverificationcerts.sandbox.paypal.com"


@functools.cache
def key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One per name: making them is slow."""
    return rsa.generate_private_key(65537, bits)


@functools.cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def certificate(
    subject: str,
    signer: Any,
    issuer: str,
    public_key: Any,
    *,
    is_ca: bool = False,
    starts: datetime = NOON - timedelta(days=30),
    ends: datetime = NOON + timedelta(days=300),
    algorithm: Any = None,
    names: tuple[str, ...] = (),
    issuer_key: Any = None,
) -> x509.Certificate:
    usage = dict.fromkeys(
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only".split(),
        False,
    )
    usage["key_cert_sign" if is_ca else "digital_signature"] = True
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_ca:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names or (subject,)]), critical=False
        ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, algorithm or hashes.SHA256())


@functools.cache
def root() -> x509.Certificate:
    own = key("root")
    ends = NOON + timedelta(days=3650)
    return certificate("Test Root", own, "Test Root", own.public_key(), is_ca=True, ends=ends)


@functools.cache
def intermediate() -> x509.Certificate:
    public_key = key("intermediate").public_key()
    return certificate("Test Intermediate", key("root"), "Test Root", public_key, is_ca=True)


def leaf(subject: str = SANDBOX_NAME, *, public_key: Any = None, **changes: Any) -> x509.Certificate:
    public_key = public_key or key("leaf").public_key()
    return certificate(subject, key("intermediate"), "Test Intermediate", public_key, **changes)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


@functools.cache
def chain(subject: str = SANDBOX_NAME) -> bytes:
    """What PayPal's server answers."""
    return pem(leaf(subject), intermediate())


def _sha1_chain() -> bytes:
    """A leaf signed with SHA-1. The library no longer signs with it, so the bytes of the signature's name are changed.

    The signature does not fit then, but the name is looked at as well.
    """
    der = leaf().public_bytes(Encoding.DER)
    # OID 1.2.840.113549.1.1.11 (sha256WithRSA) -> ...5 (sha1WithRSA), in both of its places.
    changed = der.replace(bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105"))
    return pem(x509.load_der_x509_certificate(changed), intermediate())


@functools.cache
def bad_chains() -> dict[str, bytes]:
    """By what is wrong with them. Nearly all hold the right key, so that only the chain speaks against them."""
    own = key("leaf")
    stranger = key("stranger")
    other_ca = certificate("Test Intermediate", stranger, "Test Root", stranger.public_key(), is_ca=True)
    by_leaf = certificate(SANDBOX_NAME, key("leaf"), "Somebody", stranger.public_key())
    return {
        "expired": pem(leaf(starts=NOON - timedelta(days=90), ends=NOON - timedelta(seconds=1)), intermediate()),
        "not valid yet": pem(leaf(starts=NOON + timedelta(seconds=1)), intermediate()),
        "self-signed": pem(certificate(SANDBOX_NAME, own, SANDBOX_NAME, own.public_key())),
        "wrong subject": pem(leaf("messageverificationcerts.example.com"), intermediate()),
        "look-alike subject": pem(leaf("messageverificationcerts.paypal.com.example.com"), intermediate()),
        "another of PayPal's names": pem(leaf("www.paypal.com"), intermediate()),
        "right name only as common name": pem(leaf(SANDBOX_NAME, names=("example.com",)), intermediate()),
        "wildcard": pem(leaf("*.example.com", names=("*.com",)), intermediate()),
        "no intermediate": pem(leaf()),
        "strange intermediate": pem(leaf(), other_ca),
        "strange root": pem(certificate(SANDBOX_NAME, stranger, "Test Root", own.public_key())),
        "issued by a leaf": pem(by_leaf, leaf("somebody.example.com"), intermediate()),
        "SHA-1": _sha1_chain(),
        "small key": pem(leaf(public_key=key("small", 1024).public_key()), intermediate()),
        "elliptic curve": pem(leaf(public_key=curve_key().public_key()), intermediate()),
    }


def write_roots(folder: Path) -> Path:
    path = folder / "roots.pem"
    path.write_bytes(pem(root()))
    return path
