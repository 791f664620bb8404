"""A Stripe on 127.0.0.1 that speaks HTTP: PaymentIntents, refunds, disputes and Sessions by its documents.

It keeps the events that it would send, replays its first answer to an idempotency key, and fails as a test says.
"""

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "sk_test_fake"
API_VERSION = "2024-10-28.acacia"
#: 2026-03-01, noon UTC, in Unix seconds.
NOW = 1_772_366_400


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """drop: the connection breaks instead. after_effect: the call takes effect first."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    html: bool = False
    drop: bool = False
    after_effect: bool = False

    @property
    def content(self) -> bytes:
        return b"<html><body>Back soon.</body></html>" if self.html else json.dumps(self.body).encode()


def error(status: int, *, code: str | None = None, kind: str = "invalid_request_error", **more: Any) -> Answer:
    return Answer(status=status, body={"error": {"type": kind, "code": code, "message": "Private words.", **more}})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


class FakeStripe:
    def __init__(self) -> None:
        self.url = ""
        self.lock = threading.Lock()
        self.calls: list[Call] = []
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: list[dict[str, Any]] = []
        self.all_disputes: list[dict[str, Any]] = []
        self.sessions: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.remembered: dict[str, Answer] = {}
        self.answers: list[tuple[str, Answer]] = []

    # --- What a test does ---

    def will(self, method: str, *answers: Answer) -> None:
        """These answers are given to the next calls of this method, in turn."""
        self.answers += [(method, answer) for answer in answers]

    def paid(self, payment_id: str = "pi_1", amount: int = 44700, currency: str = "usd", **metadata: str) -> None:
        charge = {
            "id": f"ch_{payment_id}",
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "currency": currency,
            "disputed": False,
            "payment_intent": payment_id,
            "receipt_url": f"https://pay.stripe.com/receipts/{payment_id}",
        }
        self.intents[payment_id] = {
            "id": payment_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": amount,
            "currency": currency,
            "metadata": metadata,
            "latest_charge": charge,
        }

    def disputed(self, payment_id: str = "pi_1", *, refundable: bool) -> None:
        self.intents[payment_id]["latest_charge"]["disputed"] = True
        dispute = {"id": "dp_1", "object": "dispute", "payment_intent": payment_id, "is_charge_refundable": refundable}
        self.all_disputes.append(dispute)

    def of(self, method: str, path: str = "") -> list[Call]:
        return [call for call in self.calls if call.method == method and call.path.endswith(path)]

    # --- What it answers ---

    def answer(self, call: Call) -> Answer:
        with self.lock:
            self.calls.append(call)
            place = next((n for n, (method, _) in enumerate(self.answers) if method == call.method), None)
            ordered = None if place is None else self.answers.pop(place)[1]
            if ordered is not None and not ordered.after_effect:
                return self._remember(call, ordered)
            if call.headers.get("authorization") != f"Bearer {KEY}":
                return error(401, kind="invalid_request_error")
            before = self.remembered.get(call.headers.get("idempotency-key", ""))
            if before is not None:
                return dataclasses.replace(before, headers={**before.headers, "Idempotent-Replayed": "true"})
            true_answer = self._true_answer(call)
            return true_answer if ordered is None else ordered

    def _true_answer(self, call: Call) -> Answer:
        parts = call.path.strip("/").split("/")
        if call.method == "POST" and parts == ["v1", "refunds"]:
            return self._remember(call, self._refund(call.form))
        if call.method == "GET" and parts[:2] == ["v1", "payment_intents"]:
            found = self.intents.get(parts[2])
            return Answer(body=found) if found else error(404, code="resource_missing", param="intent")
        lists = {
            "v1/refunds": self.refunds,
            "v1/disputes": self.all_disputes,
            "v1/checkout/sessions": self.sessions,
        }
        rows = lists.get("/".join(parts))
        if call.method == "GET" and rows is not None:
            return self._page(call, rows)
        return error(404)

    def _page(self, call: Call, rows: list[dict[str, Any]]) -> Answer:
        found = [row for row in rows if row["payment_intent"] == call.query.get("payment_intent")]
        found = found[::-1]  # the latest first
        after = call.query.get("starting_after")
        if after:
            found = found[[row["id"] for row in found].index(after) + 1 :]
        limit = int(call.query.get("limit", "10"))
        body = {"object": "list", "url": call.path, "data": found[:limit], "has_more": len(found) > limit}
        return Answer(body=body)

    def _refund(self, form: dict[str, str]) -> Answer:
        intent = self.intents.get(form["payment_intent"])
        if intent is None:
            return error(404, code="resource_missing", param="payment_intent")
        charge = intent["latest_charge"]
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = int(form.get("amount", left))
        if left == 0:
            return error(400, code="charge_already_refunded")
        if amount > left:
            return error(400, param="amount")
        charge["amount_refunded"] += amount
        refund = {
            "id": f"re_{len(self.refunds) + 1}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "charge": charge["id"],
            "payment_intent": intent["id"],
            "created": NOW,
            "status": "succeeded",
            "metadata": {
                name[len("metadata[") : -1]: value for name, value in form.items() if name.startswith("metadata[")
            },
        }
        self.refunds.append(refund)
        self.tell("refund.created", refund)
        return Answer(body=refund)

    def tell(self, kind: str, found: dict[str, Any]) -> None:
        """An event of it waits to be sent."""
        event = {
            "id": f"evt_{len(self.events) + 1}",
            "object": "event",
            "api_version": API_VERSION,
            "created": NOW,
            "livemode": False,
            "request": None,
            "type": kind,
            "data": {"object": dict(found)},
        }
        self.events.append(event)

    def _remember(self, call: Call, answer: Answer) -> Answer:
        """The first answer to an idempotency key, failures included; calls that were turned away are not kept."""
        key = call.headers.get("idempotency-key")
        if call.method == "POST" and key and not answer.drop and answer.status not in (401, 409, 429):
            self.remembered[key] = answer
        return answer


@contextlib.contextmanager
def running_stripe() -> Iterator[FakeStripe]:
    fake = FakeStripe()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def handle_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            call = Call(
                method=self.command,
                path=parts.path,
                query={name: values[0] for name, values in parse_qs(parts.query).items()},
                form={name: values[0] for name, values in parse_qs(body).items()},
                headers={name.lower(): value for name, value in self.headers.items()},
            )
            answer = fake.answer(call)
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html" if answer.html else "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = handle_call  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
