"""Mutations of valid requests, against the real webhook. By hand:

    python -m commerce_coordinator.plugins.stripe.tests.hostile 10000 SEED

A mutation may leave a request as valid as it was, a signature of an unknown scheme added say. Which these are is told
by a second reading of Stripe's document of signatures, below, that shares no code with the webhook. Each request must
be answered as that says: taken, or refused with 4xx and nothing stored.
"""

import base64
import collections
import dataclasses
import gzip
import hashlib
import hmac
import json
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

TOLERANCE = 300


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    body: bytes
    header: str | None
    path: str = "/stripe/webhook/"
    content_type: str = "application/json"
    extra: tuple[tuple[str, str], ...] = ()


def is_signed(request: Request, *, secrets: list[str], now: int) -> bool:
    """Stripe's document, read a second time: `t=<time>,v1=<mac>[,...]`, the mac that of `<time>.<body>`."""
    if not (request.header or "").isascii():
        return False
    stamps, macs = [], []
    for item in (request.header or "").split(","):
        name, _, value = item.partition("=")
        if name == "t":
            stamps.append(value)
        if name == "v1":
            macs.append(value)
    if len(stamps) != 1 or str(now - TOLERANCE) > stamps[0] or len(stamps[0]) != len(str(now)):
        return False
    signed = stamps[0].encode() + b"." + request.body
    right = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return any(mac in right for mac in macs)


# --- The mutations. Each takes a valid request, its parts, and a source of chance ---


@dataclasses.dataclass(frozen=True, kw_only=True)
class Valid:
    request: Request
    time: int
    mac: str

    def with_header(self, header: str | None) -> Request:
        return dataclasses.replace(self.request, header=header)

    def with_body(self, body: bytes) -> Request:
        return dataclasses.replace(self.request, body=body)

    def parts(self, *, time: Any = None, mac: Any = None) -> Request:
        return self.with_header(f"t={self.time if time is None else time},v1={self.mac if mac is None else mac}")


Mutation = Callable[[Valid, random.Random], Request]


def header_bit(valid: Valid, chance: random.Random) -> Request:
    letters = bytearray((valid.request.header or "").encode())
    letters[chance.randrange(len(letters))] ^= 1 << chance.randrange(8)
    return valid.with_header(letters.decode("latin-1"))


def header_cut(valid: Valid, chance: random.Random) -> Request:
    header = valid.request.header or ""
    return valid.with_header(header[chance.randrange(len(header)) :] or None)


def header_end_cut(valid: Valid, chance: random.Random) -> Request:
    header = valid.request.header or ""
    return valid.with_header(header[: chance.randrange(len(header))])


def header_letter_added(valid: Valid, chance: random.Random) -> Request:
    header, letter = valid.request.header or "", chance.choice(" \t,=;+-_0aF\"'%\u00e9\u0661")
    place = chance.randrange(len(header) + 1)
    return valid.with_header(header[:place] + letter + header[place:])


def header_again(valid: Valid, chance: random.Random) -> Request:
    """A repeated header: WSGI servers join the two with a comma."""
    header = valid.request.header or ""
    other = chance.choice([header, f"t={valid.time},v1={'0' * 64}", f"t={valid.time - 1},v1={valid.mac}", "", "v1="])
    return valid.with_header(",".join(chance.sample([header, other], 2)))


def header_in_other_order(valid: Valid, chance: random.Random) -> Request:
    parts = (valid.request.header or "").split(",")
    chance.shuffle(parts)
    return valid.with_header(chance.choice([",", ", ", ";", " ", "&"]).join(parts))


def more_signatures(valid: Valid, chance: random.Random) -> Request:
    """Several v1, v0 and unknown ones, the right one among them or not."""
    macs = [f"{chance.choice(['v1', 'v0', 'v2', 'v1x', 'V1'])}={chance.randbytes(32).hex()}" for _ in range(3)]
    if chance.random() < 0.5:
        macs.insert(chance.randrange(4), f"v1={valid.mac}")
    return valid.with_header(",".join([f"t={valid.time}", *macs]))


def other_scheme(valid: Valid, chance: random.Random) -> Request:
    scheme = chance.choice(
        ["v0", "v2", "V1", " v1", "v1 ", "v01", "v1.", "sha256", "hmac", "", "none", "v1\x00", "\u24651"]
    )
    return valid.with_header(f"t={valid.time},{scheme}={valid.mac}")


def other_spelling_of_the_mac(valid: Valid, chance: random.Random) -> Request:
    raw = bytes.fromhex(valid.mac)
    spellings = [
        valid.mac.upper(),
        f"0x{valid.mac}",
        f" {valid.mac}",
        f"{valid.mac} ",
        f"{valid.mac}={chance.randrange(99)}",
        f'"{valid.mac}"',
        f"{valid.mac}00",
        valid.mac[:-2],
        valid.mac[::-1],
        valid.mac[:32],
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
        ":".join(valid.mac[at : at + 2] for at in range(0, 64, 2)),
        "".join(f"%{byte:02x}" for byte in raw),
        "",
        "0" * 64,
        "null",
        "true",
        hashlib.sha256(valid.request.body).hexdigest(),
        hmac.new(b"", f"{valid.time}.".encode() + valid.request.body, hashlib.sha256).hexdigest(),
    ]
    return valid.parts(mac=chance.choice(spellings))


def other_time(valid: Valid, chance: random.Random) -> Request:
    shifted = valid.time + chance.choice([-1, 1]) * chance.choice(
        [1, 60, 299, 300, 301, 10**6, chance.randrange(1, 10**9)]
    )
    return valid.parts(time=shifted)


def other_spelling_of_the_time(valid: Valid, chance: random.Random) -> Request:
    digits = str(valid.time)
    spellings = [
        f"+{digits}",
        f"0{digits}",
        f" {digits}",
        f"{digits} ",
        f"{digits}\t",
        f"{digits[:4]}_{digits[4:]}",
        f"{digits}.0",
        f"{digits}e0",
        f"{valid.time:#x}",
        f"{digits}000",
        f"-{digits}",
        f"{digits}={digits}",
        f"{digits};",
        "".join(chr(0x0660 + int(each)) for each in digits),
        "9" * 5000,
        "",
        "NaN",
        "inf",
        "now",
    ]
    return valid.parts(time=chance.choice(spellings))


def signed_long_ago(valid: Valid, chance: random.Random) -> Request:
    """What Stripe once signed, sent again by somebody else."""
    return valid.with_header(header_of(valid.request.body, at=valid.time - 301 - chance.randrange(10**6)))


def body_bit(valid: Valid, chance: random.Random) -> Request:
    body = bytearray(valid.request.body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return valid.with_body(bytes(body))


def body_byte_gone(valid: Valid, chance: random.Random) -> Request:
    place = chance.randrange(len(valid.request.body))
    return valid.with_body(valid.request.body[:place] + valid.request.body[place + 1 :])


def body_byte_added(valid: Valid, chance: random.Random) -> Request:
    place = chance.randrange(len(valid.request.body) + 1)
    return valid.with_body(valid.request.body[:place] + chance.randbytes(1) + valid.request.body[place:])


def body_written_anew(valid: Valid, chance: random.Random) -> Request:
    """The same JSON in other bytes, or nearly the same."""
    values = json.loads(valid.request.body)
    body = valid.request.body
    bodies = [
        json.dumps(values, separators=(",", ":")).encode(),
        json.dumps(values, indent=2).encode(),
        json.dumps(values, sort_keys=True).encode(),
        json.dumps({**values, "livemode": True}).encode(),
        b"\xef\xbb\xbf" + body,
        body + b"\n",
        b" " + body,
        body + b"\x00",
        body.replace(b": ", b":\r\n"),
        body.decode().encode("utf-16"),
        body.decode().encode("utf-32-le"),
        body.replace(b"EDX-1", b"EDX-2"),
        body.replace(b"44700", b"44701"),
        body + body,
        b"",
        gzip.compress(body, mtime=0),
        base64.b64encode(body),
        b"payload=" + body,
    ]
    return valid.with_body(chance.choice(bodies))


def time_moved_into_the_body(valid: Valid, chance: random.Random) -> Request:
    """The signed text is `<time>.<body>`: where one ends and the other begins must not be movable."""
    digits = str(valid.time)
    cut = chance.randrange(1, len(digits))
    moved = chance.choice([valid.request.body[1:], digits[cut:].encode() + b"." + valid.request.body])
    return dataclasses.replace(valid.parts(time=digits[:cut]), body=moved)


def other_account(valid: Valid, chance: random.Random) -> Request:
    names = ["shop/", "nobody/", "shop", "%00/", "../", "-/", "SHOP/", "a" * 300 + "/"]
    return dataclasses.replace(valid.request, path=f"/stripe/webhook/{chance.choice(names)}")


def other_envelope(valid: Valid, chance: random.Random) -> Request:
    """Headers that are not signed: they change nothing."""
    types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json;x=\u0661",
        "",
    ]
    extra = [
        ("HTTP_CONTENT_ENCODING", "gzip"),
        ("HTTP_X_FORWARDED_FOR", "127.0.0.1"),
        ("HTTP_X_HTTP_METHOD_OVERRIDE", "DELETE"),
        ("HTTP_STRIPE_ACCOUNT", "shop"),
        ("HTTP_ORIGIN", "https://evil.example"),
    ]
    return dataclasses.replace(valid.request, content_type=chance.choice(types), extra=(chance.choice(extra),))


def header_gone(valid: Valid, chance: random.Random) -> Request:
    return valid.with_header(chance.choice([None, "", " ", ",", "=", "null", valid.mac, "Bearer " + valid.mac]))


def header_by_another_name(valid: Valid, chance: random.Random) -> Request:
    name = chance.choice(["HTTP_STRIPE_SIGNATURE_", "HTTP_X_STRIPE_SIGNATURE", "HTTP_SIGNATURE", "HTTP_AUTHORIZATION"])
    return dataclasses.replace(valid.request, header=None, extra=((name, valid.request.header or ""),))


MUTATIONS: tuple[Mutation, ...] = (
    header_bit,
    header_cut,
    header_end_cut,
    header_letter_added,
    header_again,
    header_in_other_order,
    more_signatures,
    other_scheme,
    other_spelling_of_the_mac,
    other_time,
    other_spelling_of_the_time,
    signed_long_ago,
    body_bit,
    body_byte_gone,
    body_byte_added,
    body_written_anew,
    time_moved_into_the_body,
    other_account,
    other_envelope,
    header_gone,
    header_by_another_name,
)

SECRET = "whsec_of_the_mutation_run"


def header_of(body: bytes, *, at: int) -> str:
    mac = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def mutations(count: int, seed: int, *, bodies: list[bytes], now: int) -> Iterator[tuple[str, Request]]:
    """So many mutations, each kind in turn; the same for the same seed. A third of them are mutated twice."""
    chance = random.Random(seed)
    for number in range(count):
        body = chance.choice(bodies).replace(b"evt_1", f"evt_{number}".encode())
        header = header_of(body, at=now)
        valid = Valid(request=Request(body=body, header=header), time=now, mac=header[-64:])
        mutate = MUTATIONS[number % len(MUTATIONS)]
        request = mutate(valid, chance)
        if chance.random() < 1 / 3 and request.header:
            request = header_letter_added(dataclasses.replace(valid, request=request), chance)
        yield mutate.__name__, request


@dataclasses.dataclass(kw_only=True)
class Figures:
    refused: int = 0
    still_valid: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)
    statuses: collections.Counter[int] = dataclasses.field(default_factory=collections.Counter)


def run(count: int, seed: int) -> Figures:
    """Send them. Needs the settings of these tests, a database, and a clock that stands at NOON."""
    from django.test import Client

    from commerce_coordinator.core.deliveries.models import Dispatch
    from commerce_coordinator.core.inbox.models import InboxEvent

    from .stripe_events import NOW, as_bytes
    from .stripe_objects import VALID, told

    client = Client(raise_request_exception=False)
    figures = Figures()
    bodies = [as_bytes(told(name, found)) for name, found in VALID.items()]
    for number, (kind, request) in enumerate(mutations(count, seed, bodies=bodies, now=NOW)):
        taken = request.path == "/stripe/webhook/" and is_signed(request, secrets=[SECRET], now=NOW)
        extra: dict[str, Any] = dict(request.extra)
        if request.header is not None:
            extra["HTTP_STRIPE_SIGNATURE"] = request.header
        before = InboxEvent.objects.count(), Dispatch.objects.count()
        status = client.generic(
            "POST", request.path, request.body, content_type=request.content_type, **extra
        ).status_code
        after = InboxEvent.objects.count(), Dispatch.objects.count()
        figures.statuses[status] += 1
        if taken:
            figures.still_valid += 1
            right = status == 200 and after[0] == before[0] + 1
        else:
            figures.refused += 1
            right = 400 <= status < 500 and after == before
        if not right:
            figures.wrong.append(
                f"mutation {number} of seed {seed}, {kind}: {status}, valid: {taken}, {before}, {after}"
            )
    return figures


def main(count: int, seed: int) -> int:
    """In a database of its own, which goes afterwards."""
    import logging
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "commerce_coordinator.settings.test"  # the package's default is local
    import django

    django.setup()

    import time_machine
    from django.db import connection
    from django.test.utils import override_settings, setup_test_environment

    from commerce_coordinator.core.testing import routes_as

    from ..table import signals_of_the_table
    from .stripe_events import NOON

    logging.disable(logging.CRITICAL)
    setup_test_environment(debug=False)
    connection.creation.create_test_db(verbosity=0)
    try:
        with (
            time_machine.travel(NOON, tick=False),
            override_settings(CC_STRIPE_SECRETS={"": [SECRET], "shop": ["whsec_shop"]}),
            routes_as({signal.name: [] for signal in signals_of_the_table()}),
        ):
            figures = run(count, seed)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    statuses = ", ".join(f"{status}: {number}" for status, number in sorted(figures.statuses.items()))
    lines = [
        f"{count} mutations, seed {seed}: {figures.refused} refused, {figures.still_valid} still valid and taken.",
        f"Answers: {statuses}. Answered wrongly: {len(figures.wrong)}.",
        *figures.wrong[:20],
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if figures.wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
