"""Mutations of valid requests, seeded.

By hand, with a count and a seed: `python -m commerce_coordinator.plugins.paypal.tests.hostile 10000 7`.
"""

import base64
import dataclasses
import gzip
import json
import os
import random
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from django.test import Client

from . import pki
from .paypal_events import CERT_URL, LIVE_CERT_URL, PayPalServer, answer, as_bytes, completed, no_route, signed_headers

BODY = as_bytes(completed(note="Zoë"))
HEADERS = signed_headers(BODY)
ID, TIME, SIG, URL, ALGO = HEADERS
HOSTS = {"api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"}
FOLDER = "/v1/notifications/certs/"


@dataclasses.dataclass
class Attack:
    """One request, which must not be believed. `away`: PayPal's server really is, so that 503 is the right answer."""

    body: bytes
    headers: dict[str, str]
    path: str = "/paypal/webhook/"
    away: bool = False
    statuses: tuple[int, ...] = (400,)


Mutation = Callable[[Attack, random.Random, PayPalServer], None]
MUTATIONS: dict[str, Mutation] = {}


def mutation(function: Mutation) -> Mutation:
    MUTATIONS[function.__name__] = function
    return function


def new_address(dice: random.Random) -> str:
    """An address of PayPal's where nothing lies yet."""
    return f"https://{dice.choice(sorted(HOSTS))}{FOLDER}CERT-{dice.getrandbits(64):x}"


def may_be_fetched(url: str) -> bool:
    """Told by the standard library's reading of the address, not by our own."""
    try:
        parts = urlsplit(url)
        plain = f"https://{parts.hostname}{parts.path}"
        named = parts.path.removeprefix(FOLDER).replace("-", "").replace("_", "")
    except ValueError:
        return False
    return plain == url and parts.hostname in HOSTS and parts.path.startswith(FOLDER) and named.isalnum()


# --- Headers ---


@mutation
def header_bit(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    name = dice.choice(list(attack.headers))
    value = attack.headers[name] or "x"
    place = dice.randrange(len(value))
    flipped = chr(ord(value[place]) ^ (1 << dice.randrange(8)))
    attack.headers[name] = value[:place] + flipped + value[place + 1 :]


@mutation
def header_gone(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    del attack.headers[dice.choice(list(attack.headers))]


@mutation
def header_repeated(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    name = dice.choice(list(attack.headers))  # servers join repeated headers by a comma
    attack.headers[name] = dice.choice([",", ", "]).join([attack.headers[name]] * dice.randint(2, 3))


@mutation
def header_garbled(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    name = dice.choice(list(attack.headers))
    value = attack.headers[name]
    attack.headers[name] = dice.choice(
        [
            "",
            " ",
            value + " ",
            " " + value,
            value + "\t",
            value + "\x00",
            value + "\r\nX-Evil: 1",
            value[:-1],
            value * 40,
            value.swapcase() + "x",
            value + "\xe9",
            value.replace("a", "а") + "а",  # noqa: RUF001 - Cyrillic
            f'"{value}"',
            "%" + value,
            "\ufeff" + value,
            "null",
            "A" * 100_000,
        ]
    )


@mutation
def algorithm_name(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    names = "SHA1withRSA MD5withRSA SHA512withRSA NONEwithRSA none SHA256withECDSA HS256 RS256 SHA256 sha256withRSA"
    attack.headers[ALGO] = dice.choice([*names.split(), "SHA256withRSA/PSS", "SHA256 with RSA", "SHA256withRSA;x"])


@mutation
def other_time(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    attack.headers[TIME] = dice.choice(
        [
            f"20{dice.randint(10, 25)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}T0{dice.randint(0, 9)}:00:00Z",
            "2026-03-01T11:59:55.000Z",
            "2026-03-01T12:59:55+01:00",
            "2026-03-01t11:59:55z",
            "2026-03-01 11:59:55Z",
            str(dice.getrandbits(32)),
            "0",
        ]
    )


@mutation
def moved_bar(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    """The same signed text, its parts in other headers."""
    both = f"{attack.headers.get(ID, '')}|{attack.headers.get(TIME, '')}"
    place = dice.randrange(len(both))
    attack.headers[ID], attack.headers[TIME] = both[:place], both[place:] + "|x"


@mutation
def signature_encoding(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    raw = base64.b64decode(HEADERS[SIG])
    text = HEADERS[SIG]
    attack.headers[SIG] = dice.choice(
        [
            base64.urlsafe_b64encode(raw).decode() + "-",
            raw.hex(),
            text.rstrip("="),
            text + "=",
            text + "\n",
            text[:76] + "\n" + text[76:],
            base64.b64encode(text.encode()).decode(),
            base64.b64encode(raw[::-1]).decode(),
            base64.b64encode(b"\0" + raw).decode(),
            base64.b64encode(raw[:-1]).decode(),
            base64.b64encode(raw + b"\0").decode(),
            base64.b64encode(b"\0" * 256).decode(),
            base64.b64encode(b"\xff" * 256).decode(),
            base64.b64encode((1).to_bytes(256, "big")).decode(),
            base64.b64encode(dice.randbytes(256)).decode(),
            text[:-3] + chr(ord(text[-3]) + 1) + "==",  # bits to spare
        ]
    )


# --- The body ---


@mutation
def body_bytes(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    body = bytearray(attack.body or b"x")
    for _ in range(dice.randint(1, 3)):
        place = dice.randrange(len(body))
        match dice.randrange(3):
            case 0:
                body[place] ^= 1 << dice.randrange(8)
            case 1:
                body.insert(place, dice.randrange(256))
            case 2 if len(body) > 2:
                del body[place]
    attack.body = bytes(body) if bytes(body) != BODY else BODY + b" "


@mutation
def body_written_anew(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    try:
        text = attack.body.decode()
        data = json.loads(text)
    except ValueError:
        return body_bytes(attack, dice, server)
    attack.body = dice.choice(
        [
            json.dumps(data, ensure_ascii=False).encode(),
            json.dumps(data, indent=1).encode(),
            json.dumps(data, separators=(",", ":")).encode(),
            text.replace("149.00", "149.000").encode(),
            text.replace("149.00", "1.00").encode(),
            text.replace("EDX-1", "EDX-2").encode(),
            text.encode("utf-16"),
            b"\xef\xbb\xbf" + attack.body,
            attack.body + b"\n",
            attack.body * 2,
            attack.body[: dice.randrange(len(attack.body))],
            gzip.compress(attack.body),
            b"",
            b"{}",
            b"[" * 50_000,
        ]
    )


@mutation
def colliding_body(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    """Another sum at the same length."""
    attack.body = BODY.replace(b"149.00", f"{dice.randint(100, 148)}.00".encode())


# --- Who signed, and what ---


def sign(attack: Attack, text: str, key: str = "leaf", padding: Any = None, digest: Any = None) -> None:
    made = pki.key(key).sign(text.encode(), padding or PKCS1v15(), digest or SHA256())
    attack.headers[SIG] = base64.b64encode(made).decode()


@mutation
def signed_otherwise(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    checksum, right = zlib.crc32(attack.body), "5WH04942BU312345X"
    start = f"{HEADERS[ID]}|{HEADERS[TIME]}"
    text = f"{start}|{right}|{checksum}"
    attack.headers.update({ID: HEADERS[ID], TIME: HEADERS[TIME]})
    match dice.randrange(12):
        case 0:
            sign(attack, text, key="stranger")
        case 1:
            sign(attack, text, digest=SHA1())
        case 2:
            sign(attack, text, digest=SHA512())
        case 3:
            sign(attack, text, padding=PSS(MGF1(SHA256()), 32))
        case 4:
            sign(attack, f"{start}|{dice.choice(['', 'None', right.lower(), '8PT597110X687430LKGECATA'])}|{checksum}")
        case 5:
            sign(attack, f"{start}|{right}|{checksum:x}")
        case 6:
            sign(attack, f"{start}|{right}|{checksum - 2**32}")
        case 7:
            sign(attack, f"{start}|{right}|{zlib.adler32(attack.body)}")
        case 8:
            sign(attack, f"{start}|{right}")
        case 9:
            sign(attack, f"{right}|{start}|{checksum}")
        case 10:
            sign(attack, text + dice.choice(["\n", " ", "|", "\0"]))
        case 11:
            sign(attack, attack.body.decode("latin-1"))


@mutation
def other_account(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    """What is right for one account, at another; and the simulator's word at a live one."""
    attack.path, attack.statuses = "/paypal/webhook/shop/", (400,)
    match dice.randrange(3):
        case 0:
            attack.path, attack.statuses = f"/paypal/webhook/nobody{dice.randrange(9)}/", (404,)
        case 1:
            attack.headers.update(signed_headers(attack.body, cert_url=LIVE_CERT_URL))
        case 2:
            attack.headers.update(signed_headers(attack.body, cert_url=LIVE_CERT_URL, webhook_id="WEBHOOK_ID"))


# --- The certificate ---

ADDRESSES = """
http://{host}{path} HTTPS://{host}{path} ftp://{host}{path} //{host}{path} {host}{path} file://{path}
https://user@{host}{path} https://user:pw@{host}{path} https://{host}@example.com{path} https://:@{host}{path}
https://{host}:80{path} https://{host}:8443{path} https://{host}:{path} https://{host}:0443{path} https://{host}:443x{path}
https://{host}.example.com{path} https://example.com/{host}{path} https://evil-{host}{path} https://{host}.{path}
https://evil.{host}{path} https://www.paypal.com{path} https://paypal.com{path} https://api.paypa1.com{path}
https://api.paypal.com.evil.example{path} https://api-paypal.com{path} https://apiXpaypal.com{path}
https://api.paypal.co{path} https://api.paypal.com%2eexample.com{path} https://{host}%00.example.com{path}
https://127.0.0.1{path} https://10.0.0.1{path} https://192.168.0.1{path} https://[::1]{path} https://0{path}
https://169.254.169.254/latest/meta-data/ https://2130706433{path} https://0x7f000001{path} https://localhost{path}
https://[::ffff:127.0.0.1]{path} https://{host}\\@example.com{path} https://{host}#@example.com{path}
https://{host}{path}#x https://{host}{path}?x https://{host}{path}/ https://{host}{path}/../CERT-1 https://{host}/{path}
https://{host}{path}%2f.. https://{host}{path}; https://{host}{path}.pem https://{host}/v1/notifications/certs/
https://{host}/v1/notifications/certs/../webhooks https://{host}/v1/oauth2/token https://{host}/ https://{host}
javascript:alert(1) data:text/plain,x gopher://{host}{path} https:/{host}{path} https:{host}{path} https:///{host}{path}
""".split()


@mutation
def address(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    host, path = dice.choice(sorted(HOSTS)), urlsplit(CERT_URL).path
    attack.headers[URL] = dice.choice(ADDRESSES).replace("{host}", host).replace("{path}", path)


def _serve(attack: Attack, dice: random.Random, server: PayPalServer, what: Any) -> None:
    attack.headers[URL] = new_address(dice)
    server.answers[attack.headers[URL]] = what


@mutation
def chain(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    _serve(attack, dice, server, dice.choice(list(pki.bad_chains().values())))


@mutation
def redirection(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    targets = [CERT_URL, "https://example.com/", "http://169.254.169.254/", "https://127.0.0.1/", ""]
    headers = {"Location": dice.choice(targets)}
    status = dice.choice([301, 302, 303, 307, 308])
    _serve(attack, dice, server, lambda _: answer(pki.chain(), status=status, headers=headers))


@mutation
def unreachable(attack: Attack, dice: random.Random, server: PayPalServer) -> None:
    answers = [no_route, lambda _: answer(status=500), lambda _: answer(status=404), b"<html>", b"x" * 70_000]
    _serve(attack, dice, server, dice.choice(answers))
    attack.away, attack.statuses = True, (503,)


# --- The run ---


@dataclasses.dataclass
class Figures:
    """What came of a run. `wrong`: what must not have been, each with the seed's number of the mutation."""

    attacks: int = 0
    answers: "Counter[int]" = dataclasses.field(default_factory=Counter)
    codes: "Counter[str]" = dataclasses.field(default_factory=Counter)
    kinds: "Counter[str]" = dataclasses.field(default_factory=Counter)
    fetches: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.attacks} attacks, {self.answers[200]} accepted; answers {dict(self.answers)}; "
            f"{self.fetches} fetches; {len(self.wrong)} wrong\n{dict(self.kinds)}\n{dict(self.codes)}"
        )


def run(count: int, seed: int, server: PayPalServer, cool: Callable[[], None]) -> Figures:
    """Send `count` mutations. `cool` empties the caches, as a restart with an empty database does."""
    figures, client = Figures(), Client(raise_request_exception=False)
    for number in range(count):
        dice = random.Random(f"{seed}:{number}")
        server.answers = {CERT_URL: pki.chain(), LIVE_CERT_URL: pki.chain(pki.LIVE_NAME)}
        if dice.random() < 0.05:
            cool()
        attack = Attack(body=BODY, headers=dict(HEADERS))
        kinds = [dice.choice(list(MUTATIONS))]
        if dice.random() < 0.2:  # a second fault on the top of the first
            kinds.append(dice.choice(["header_bit", "header_repeated", "body_bytes", "algorithm_name"]))
        for kind in kinds:
            MUTATIONS[kind](attack, dice, server)
        if (attack.body, attack.headers, attack.path) == (BODY, HEADERS, "/paypal/webhook/"):
            del attack.headers[SIG]  # the second fault has mended the first
        asked_before = len(server.asked)
        response = client.post(attack.path, attack.body, content_type="application/json", headers=dict(attack.headers))
        asked = [str(each.url) for each in server.asked[asked_before:]]
        figures.attacks += 1
        figures.answers[response.status_code] += 1
        figures.kinds.update(kinds)
        figures.fetches += len(asked)
        code = response.json()["error"]["code"] if response.status_code >= 400 and response.content else "none"
        figures.codes[code] += 1
        where = f"{seed}:{number} {'+'.join(kinds)} -> {response.status_code} {code}, fetched {asked}"
        url = attack.headers.get(URL, "")
        nothing_there = may_be_fetched(url) and url not in server.answers  # a bit of the certificate's name
        allowed = {400, 404} | ({503} if attack.away or nothing_there else set())
        if response.status_code not in allowed:
            figures.wrong.append(where)
        if len(kinds) == 1 and not nothing_there and response.status_code not in attack.statuses:
            figures.wrong.append(f"{where}: expected {attack.statuses}")
        if len(asked) > 1 or any(each != url or not may_be_fetched(each) for each in asked):
            figures.wrong.append(f"{where}: fetched")
        if asked and attack.headers.get(ALGO) != HEADERS[ALGO]:
            figures.wrong.append(f"{where}: fetched in spite of another header")
    return figures


def main(count: str = "10000", seed: str = "1") -> int:
    """In a process of its own: this one has been set up for a laptop by now."""
    test = str(Path(__file__).with_name("test_hostile.py"))
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:logging", "--timeout=0", "-k", "believed"]
    settings = "commerce_coordinator.settings.test"
    environment = {**os.environ, "CC_HOSTILE": f"{int(count)} {int(seed)}", "DJANGO_SETTINGS_MODULE": settings}
    return subprocess.run([sys.executable, "-m", "pytest", *options, test], env=environment).returncode


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
