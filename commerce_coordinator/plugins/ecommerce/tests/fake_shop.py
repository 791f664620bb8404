"""A legacy shop on 127.0.0.1 that speaks HTTP, and the LMS's token call for it; it answers otherwise where told so."""

import contextlib
import dataclasses
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SHOP = "/shop"
ORDERS = f"{SHOP}/api/v2/orders/"
REDEEM = f"{SHOP}/coupons/redeem/"
TOKEN = "/lms/oauth2/access_token"
PAGE = b"<!DOCTYPE html><html><body><h1>Something that people read.</h1></body></html>"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes out. `hang`: nothing does, until the server stops. `drop`: the connection breaks instead."""

    status: int = 200
    body: Any = None
    html: bool = False
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    #: The call takes effect before this answer goes out.
    after_effect: bool = False

    def __str__(self) -> str:
        what = "hangs" if self.hang else "drops" if self.drop else str(self.status)
        return f"{what}{' page' if self.html else ''}"

    @property
    def content(self) -> bytes:
        return PAGE if self.html else json.dumps(self.body).encode()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    kind: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


def seat(sku: str = "SKU-1", *, course_key: str = "course-v1:DemoX+Baking+2026", **attributes: Any) -> dict[str, Any]:
    values = {"course_key": course_key, "certificate_type": "verified", "id_verification_required": True, **attributes}
    return {
        "product_class": "Seat",
        "title": "Seat in Baking",
        "attribute_values": [{"name": name, "code": name, "value": value} for name, value in values.items()],
        "stockrecords": [{"partner_sku": sku, "price_currency": "USD", "price_excl_tax": "149.00"}],
    }


def line(product: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return {
        "title": "Seat in Baking",
        "quantity": 1,
        "description": "Seat in Baking with verified certificate",
        "status": "Complete",
        "line_price_excl_tax": "149.00",
        "unit_price_excl_tax": "149.00",
        "product": product or seat(),
        **values,
    }


def order(number: str, username: str = "amina", **values: Any) -> dict[str, Any]:
    """As the shop's OrderSerializer writes it."""
    return {
        "billing_address": None,
        "currency": "USD",
        "date_placed": "2026-02-01T10:00:00Z",
        "discount": "0",
        "lines": [line()],
        "number": number,
        "payment_processor": "cybersource",
        "status": "Complete",
        "total_excl_tax": "149.00",
        "user": {"email": f"{username}@example.com", "username": username},
        "vouchers": [],
        **values,
    }


class FakeShop:
    """`answers["list" | "order" | "redeem" | "token"]` are given in turn, then the true ones."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.calls: list[Call] = []
        self.orders: list[dict[str, Any]] = []
        #: Codes that are good, and for which SKU. Used ones are removed.
        self.codes: dict[str, str] = {}
        self.tokens = 0
        self.url = ""
        #: As the shop's own view: it redeems for whoever's token the call carries.
        self.redeems_for_caller = False
        #: MySQL compares names without case.
        self.compares_without_case = False
        self.stopping = threading.Event()

    @property
    def root(self) -> str:
        return f"{self.url}{SHOP}"

    def will(self, kind: str, *answers: Answer) -> None:
        self.answers.setdefault(kind, []).extend(answers)

    @property
    def kinds(self) -> list[str]:
        return [call.kind for call in self.calls]

    def of(self, kind: str) -> list[Call]:
        return [call for call in self.calls if call.kind == kind]

    def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        call = Call(kind=self._kind(method, parts.path), path=parts.path, query=query, headers=headers)
        self.calls.append(call)
        ordered = self.answers[call.kind].pop(0) if self.answers.get(call.kind) else None
        if ordered is None:
            return self._true_answer(call)
        if ordered.after_effect:
            self._true_answer(call)
        return ordered

    def _kind(self, method: str, path: str) -> str:
        if (method, path) == ("POST", TOKEN):
            return "token"
        if method == "GET" and path.startswith(ORDERS):
            return "list" if path == ORDERS else "order"
        return "redeem" if (method, path) == ("GET", REDEEM) else f"{method} {path}"

    def _true_answer(self, call: Call) -> Answer:
        if call.kind == "token":
            self.tokens += 1
            return Answer(body={"access_token": f"token-{self.tokens}", "token_type": "JWT", "expires_in": 3600})
        if call.headers.get("authorization") != f"JWT token-{self.tokens}":
            return Answer(status=401, body={"detail": "Invalid token."})
        truth = {"list": self._list, "order": self._order, "redeem": self._redeem}.get(call.kind)
        return truth(call) if truth else Answer(status=404, html=True)

    def _list(self, call: Call) -> Answer:
        wanted, page, size = call.query["username"], int(call.query["page"]), int(call.query["page_size"])
        found = [each for each in self.orders if self._same(each["user"]["username"], wanted)]
        start = (page - 1) * size
        if page > 1 and start >= len(found):
            return Answer(status=404, body={"detail": "Invalid page."})
        more = f"{self.root}/api/v2/orders/?page={page + 1}" if len(found) > start + size else None
        body = {"count": len(found), "next": more, "previous": None, "results": found[start : start + size]}
        return Answer(body=body)

    def _same(self, one: str, other: str) -> bool:
        return one.lower() == other.lower() if self.compares_without_case else one == other

    def _order(self, call: Call) -> Answer:
        number = unquote(call.path.removeprefix(ORDERS).strip("/"))
        found = next((each for each in self.orders if each["number"] == number), None)
        return Answer(body=found) if found else Answer(status=404, body={"detail": "Not found."})

    def _redeem(self, call: Call) -> Answer:
        code, sku = call.query["code"], call.query["sku"]
        if self.codes.get(code.upper()) != sku:
            return Answer(html=True)  # the page with the reason, status 200
        del self.codes[code.upper()]
        username = "service-worker" if self.redeems_for_caller else call.query["username"]
        number = f"EDX-{len(self.orders) + 100}"
        made = order(
            number, username, total_excl_tax="0.00", vouchers=[{"code": code.upper()}], lines=[line(seat(sku))]
        )
        self.orders.insert(0, made)
        return Answer(status=302, headers={"Location": f"{self.root}/checkout/receipt/?order_number={number}"})


@contextlib.contextmanager
def running_shop() -> Iterator[FakeShop]:
    shop = FakeShop()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet

        def answer_call(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = shop.answer(self.command, self.path, headers)
            if answer.hang:
                shop.stopping.wait()
            if answer.hang or answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html" if answer.html else "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = answer_call  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shop
    finally:
        shop.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
