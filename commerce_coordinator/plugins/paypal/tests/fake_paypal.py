"""A PayPal on 127.0.0.1 that speaks HTTP: tokens, orders, captures and refunds by its documents.

It keeps the events that it would send, gives its first answer again to the same PayPal-Request-Id, and fails as a test
says.
"""

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from . import paypal_events

CLIENT, SECRET = "app", "d7xW"


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


def refusal(issue: str, *, status: int = 422, name: str = "UNPROCESSABLE_ENTITY") -> Answer:
    details = [{"issue": issue, "description": "Private words."}]
    return Answer(status=status, body={"name": name, "message": "Private words.", "details": details})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class FakePayPal:
    def __init__(self) -> None:
        self.url = ""
        self.lock = threading.Lock()
        self.calls: list[Call] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.remembered: dict[str, Answer] = {}
        self.answers: list[tuple[str, Answer]] = []
        self.tokens = 0

    # --- What a test does ---

    def will(self, method: str, *answers: Answer) -> None:
        """These answers are given to the next calls of this method, in turn; tokens aside."""
        self.answers += [(method, answer) for answer in answers]

    def approved(self, order_id: str = "O-1", value: str = "149.00", currency: str = "USD", **unit: Any) -> None:
        """A buyer has approved an order; its event waits to be sent."""
        self.orders[order_id] = {
            "id": order_id,
            "intent": "CAPTURE",
            "status": "APPROVED",
            "create_time": "2026-03-01T11:59:30Z",
            "purchase_units": [
                {"amount": {"currency_code": currency, "value": value}, "custom_id": "EDX-1", "payments": {}, **unit}
            ],
        }
        self.tell("CHECKOUT.ORDER.APPROVED", self.orders[order_id])

    def of(self, method: str, ending: str = "") -> list[Call]:
        return [call for call in self.calls if call.method == method and call.path.endswith(ending)]

    @property
    def captures(self) -> list[dict[str, Any]]:
        return self._payments("captures")

    @property
    def refunds(self) -> list[dict[str, Any]]:
        return self._payments("refunds")

    def _payments(self, kind: str) -> list[dict[str, Any]]:
        units = [unit for order in self.orders.values() for unit in order["purchase_units"]]
        return [each for unit in units for each in unit["payments"].get(kind, [])]

    def tell(self, event_type: str, resource: dict[str, Any]) -> None:
        """An event of it waits to be sent."""
        copied = json.loads(json.dumps(resource))
        self.events.append(paypal_events.event(event_type, copied, id=f"WH-{len(self.calls)}-{len(self.events)}"))

    # --- What it answers ---

    def answer(self, call: Call) -> Answer:
        with self.lock:
            self.calls.append(call)
            if call.path == "/v1/oauth2/token":
                self.tokens += 1
                return Answer(body={"access_token": f"token-{self.tokens}", "expires_in": 32400})
            if call.headers.get("authorization") != f"Bearer token-{self.tokens}":
                return Answer(status=401, body={"name": "AUTHENTICATION_FAILURE"})
            place = next((n for n, (method, _) in enumerate(self.answers) if method == call.method), None)
            ordered = None if place is None else self.answers.pop(place)[1]
            if ordered is not None and not ordered.after_effect:
                return ordered
            before = self.remembered.get(call.headers.get("paypal-request-id", ""))
            true_answer = before or self._true_answer(call)
            key = call.headers.get("paypal-request-id")
            if call.method == "POST" and key and true_answer.status < 300:
                self.remembered[key] = true_answer
            return true_answer if ordered is None else ordered

    def _true_answer(self, call: Call) -> Answer:
        match call.path.strip("/").split("/"):
            case ["v2", "checkout", "orders", order_id]:
                return Answer(body=self.orders[order_id]) if order_id in self.orders else _not_found()
            case ["v2", "checkout", "orders", order_id, "capture"]:
                return self._capture(order_id)
            case ["v2", "payments", "captures", capture_id]:
                found = next((each for each in self.captures if each["id"] == capture_id), None)
                return Answer(body=found) if found else _not_found()
            case ["v2", "payments", "captures", capture_id, "refund"]:
                return self._refund(capture_id, call.body)
        return _not_found()

    def _capture(self, order_id: str) -> Answer:
        order = self.orders.get(order_id)
        if order is None:
            return _not_found()
        if order["status"] == "COMPLETED":
            return refusal("ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            return refusal("ORDER_NOT_APPROVED")
        order["status"] = "COMPLETED"
        unit = order["purchase_units"][0]
        capture = paypal_events.capture(
            id=f"C-{order_id}",
            amount=dict(unit["amount"]),
            custom_id=unit.get("custom_id", ...),
            supplementary_data={"related_ids": {"order_id": order_id}},
        )
        unit["payments"]["captures"] = [capture]
        self.tell("PAYMENT.CAPTURE.COMPLETED", capture)
        return Answer(status=201, body=order)

    def _refund(self, capture_id: str, wish: dict[str, Any]) -> Answer:
        capture = next((each for each in self.captures if each["id"] == capture_id), None)
        if capture is None:
            return _not_found()
        unit = next(
            unit
            for order in self.orders.values()
            for unit in order["purchase_units"]
            if capture in unit["payments"].get("captures", [])
        )
        done = [each for each in unit["payments"].get("refunds", []) if each["status"] == "COMPLETED"]
        left = _cents(capture["amount"]["value"]) - sum(_cents(each["amount"]["value"]) for each in done)
        amount = _cents(wish["amount"]["value"]) if "amount" in wish else left
        if left == 0:
            return refusal("CAPTURE_FULLY_REFUNDED")
        if amount > left:
            return refusal("REFUND_AMOUNT_EXCEEDED")
        value = wish["amount"]["value"] if "amount" in wish else _written(left, capture["amount"]["value"])
        refund = paypal_events.refund(
            id=f"R-{len(self.refunds) + 1}",
            amount={"currency_code": capture["amount"]["currency_code"], "value": value},
            custom_id=wish.get("custom_id", ...),
            links=[{"href": f"{paypal_events.SELF}/captures/{capture_id}", "rel": "up", "method": "GET"}],
        )
        unit["payments"].setdefault("refunds", []).append(refund)
        capture["status"] = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
        self.tell("PAYMENT.CAPTURE.REFUNDED", refund)
        return Answer(status=201, body=refund)


def _not_found() -> Answer:
    return refusal("INVALID_RESOURCE_ID", status=404, name="RESOURCE_NOT_FOUND")


def _cents(value: str) -> int:
    return int(value.replace(".", ""))


def _written(cents: int, like: str) -> str:
    return f"{cents // 100}.{cents % 100:02}" if "." in like else str(cents)


@contextlib.contextmanager
def running_paypal() -> Iterator[FakePayPal]:
    fake = FakePayPal()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def handle_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_json = "json" in self.headers.get("Content-Type", "")
            call = Call(
                method=self.command,
                path=urlsplit(self.path).path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(body) if is_json else body,
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
