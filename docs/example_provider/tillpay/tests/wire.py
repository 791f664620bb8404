"""Tillpay's side of the wire: its events, its signature, and its API on a port of this machine."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

SECRET = "a-tillpay-secret"
NAME, EMAIL = "ann-the-learner", "ann@example.com"
OURS = {"system": "commerce_coordinator"}


def sign(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"Tillpay-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def paid(event_id: str, payment_id: str, amount: int, currency: str, **reference: Any) -> dict[str, Any]:
    """`payment.paid`, of ours if the reference does not say otherwise."""
    buyer = {"user_id": 1313, "username": NAME, "email": EMAIL}
    courses = [{"key": "course-v1:X+A+1", "mode": "verified"}]
    whole = {**OURS, **buyer, "courses": courses, **reference}
    payment = {"id": payment_id, "amount": amount, "currency": currency, "reference": whole}
    return {"id": event_id, "type": "payment.paid", "created": 1772366400, "live": False, "payment": payment}


def refunded(
    event_id: str, payment_id: str, refund_id: str, amount: int, currency: str, **reference: Any
) -> dict[str, Any]:
    """`payment.refunded`; `request` is in its reference when it was made by us."""
    about = {"id": refund_id, "payment": payment_id, "amount": amount, "currency": currency}
    refund = {**about, "reference": {**OURS, **reference}}
    return {"id": event_id, "type": "payment.refunded", "created": 1772366460, "live": False, "refund": refund}


class Till(BaseHTTPRequestHandler):
    """`GET` and `POST /payments/<id>/refunds`. `refunds`: what was given back, by path."""

    refunds: dict[str, list[dict[str, Any]]]
    #: So many answers to a POST get lost after it took effect.
    lost = 0

    def do_GET(self) -> None:
        self.answer(200, self.refunds.get(self.path, []))

    def do_POST(self) -> None:
        refund = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.refunds.setdefault(self.path, []).append(refund)
        if type(self).lost:
            type(self).lost -= 1
            self.answer(503, {})
        else:
            self.answer(201, refund)

    def answer(self, status: int, found: Any) -> None:
        body = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The tests' output is theirs."""


@contextmanager
def served(*, lost: int = 0) -> Iterator[tuple[str, dict[str, list[dict[str, Any]]]]]:
    """The API's address, and its refunds."""
    kept: dict[str, list[dict[str, Any]]] = {}
    server = HTTPServer(("127.0.0.1", 0), type("TillOfATest", (Till,), {"refunds": kept, "lost": lost}))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
