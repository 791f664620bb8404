"""An LMS on 127.0.0.1 that speaks HTTP: it enrols by the LMS's rules, and answers otherwise where a test says so."""

import contextlib
import dataclasses
import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = "/lms"
TOKEN = f"{ROOT}/oauth2/access_token"
ENROLLMENT = f"{ROOT}/api/enrollment/v1/enrollment"
ENTITLEMENTS = f"{ROOT}/api/entitlements/v1/entitlements/"
ACCOUNTS = f"{ROOT}/api/user/v1/accounts/"
PAGE = b"<!DOCTYPE html><html><body><h1>We will be back soon.</h1></body></html>"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes out. `hang`: nothing does, until the server stops. `drop`: the connection breaks instead."""

    status: int = 200
    body: Any = None
    html: bool = False
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    #: The call takes effect before this answer goes out: what is lost is the answer alone.
    after_effect: bool = False

    def __str__(self) -> str:
        """For the names of tests."""
        what = "hangs" if self.hang else "drops" if self.drop else str(self.status)
        body = " page" if self.html else "" if self.body is None else f" {json.dumps(self.body)}"
        return f"{what}{body}"

    @property
    def content(self) -> bytes:
        if self.html:
            return PAGE
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


def html(status: int, **options: Any) -> Answer:
    return Answer(status=status, html=True, **options)


def refusal(status: int, message: str = "The LMS says no.", **headers: str) -> Answer:
    """As the LMS words an error; headers by name with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body={"message": message}, headers=named)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class FakeLms:
    """`will(kind, ...)`: these answers are given in turn, then the true ones. Kinds: see `_kind`."""

    def __init__(self) -> None:
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self.entitlements: list[dict[str, Any]] = []
        self.deactivated: list[str] = []
        self.page_size = 50
        self.lock = threading.Lock()
        self.calls: list[tuple[str, Call]] = []
        self.enrolled: dict[tuple[str, str], dict[str, Any]] = {}
        self.tokens = 0
        self.url = ""
        self.stopping = threading.Event()

    def will(self, kind: str, *answers: Answer) -> None:
        self.answers[kind].extend(answers)

    def of(self, kind: str) -> list[Call]:
        return [call for each, call in self.calls if each == kind]

    @property
    def kinds(self) -> list[str]:
        """What was called, in order."""
        return [kind for kind, _ in self.calls]

    def answer(self, call: Call) -> Answer:
        kind = self._kind(call)
        self.calls.append((kind, call))
        ordered = self.answers[kind].pop(0) if self.answers.get(kind) else None
        if ordered is None:
            return self._true_answer(kind, call)
        if ordered.after_effect:
            self._true_answer(kind, call)
        return ordered

    def _kind(self, call: Call) -> str:
        if (call.method, call.path) == ("POST", TOKEN):
            return "token"
        if (call.method, call.path) == ("POST", ENROLLMENT):
            return "enrol"
        if call.method == "GET" and call.path.startswith(f"{ENROLLMENT}/"):
            return "look"
        if call.path.startswith(ENTITLEMENTS):
            kinds = {"GET": "look for entitlements", "POST": "entitle", "DELETE": "revoke"}
            return kinds.get(call.method, call.method)
        if call.method == "POST" and call.path.startswith(ACCOUNTS) and call.path.endswith("/deactivate/"):
            return "deactivate"
        return f"{call.method} {call.path}"

    def _true_answer(self, kind: str, call: Call) -> Answer:
        if kind == "token":
            with self.lock:
                self.tokens += 1
                return Answer(body={"access_token": f"token-{self.tokens}", "token_type": "JWT", "expires_in": 3600})
        if call.headers.get("authorization") != f"JWT token-{self.tokens}":
            return Answer(status=401, body={"detail": "No valid token."})
        if kind == "look":
            username, _, course = call.path.removeprefix(f"{ENROLLMENT}/").partition(",")
            return Answer(body=self.enrolled.get((unquote(username), unquote(course))))
        if kind == "enrol":
            wish = call.json
            found = {"mode": wish["mode"], "is_active": wish["is_active"], "user": wish["user"]}
            self.enrolled[wish["user"], wish["course_details"]["course_id"]] = found
            return Answer(body=found)
        if kind == "look for entitlements":
            return self._page(parse_qs(urlsplit(call.path).query))
        if kind == "entitle":
            made = {**call.json, "uuid": str(uuid.UUID(int=len(self.entitlements) + 1)), "expired_at": None}
            self.entitlements.append(made)
            return Answer(status=201, body=made)
        if kind == "revoke":
            key = call.path.removeprefix(ENTITLEMENTS).rstrip("/")
            for each in self.entitlements:
                if each["uuid"] == key:
                    each["expired_at"] = "2026-03-01T12:00:00Z"
                    return Answer(status=204)
            return Answer(status=404, body={"detail": "Not found."})
        if kind == "deactivate":
            username = unquote(call.path.removeprefix(ACCOUNTS).removesuffix("/deactivate/"))
            self.deactivated.append(username)
            return Answer(body={"username": username})
        return Answer(body=[])  # what else the LMS has, such as the list of all enrolments

    def _page(self, query: dict[str, list[str]]) -> Answer:
        """As on the LMS: filtered by user, whatever else is asked; ended ones too."""
        number = int(query.get("page", ["1"])[0])
        found = [each for each in self.entitlements if each["user"] == query["user"][0]]
        rows = found[(number - 1) * self.page_size : number * self.page_size]
        more = len(found) > number * self.page_size
        following = f"{self.url}/somewhere?page={number + 1}" if more else None
        return Answer(body={"count": len(found), "next": following, "previous": None, "results": rows})


@contextlib.contextmanager
def running_lms() -> Iterator[FakeLms]:
    lms = FakeLms()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet

        def handle_call(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = lms.answer(Call(method=self.command, path=self.path, headers=headers, body=body))
            if answer.hang:
                lms.stopping.wait()
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

        do_GET = do_POST = do_DELETE = handle_call  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    lms.url = f"http://127.0.0.1:{server.server_port}{ROOT}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield lms
    finally:
        lms.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
