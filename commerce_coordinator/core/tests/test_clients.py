"""Calls to other systems, against a real server: what comes back, what is raised, and what the attempt keeps of it."""

import http.server
import json
import logging
import re
import socket
import threading
import uuid

import pytest
import requests

from commerce_coordinator.core.clients import LONGEST_MESSAGE, PASSING, ApiClient
from commerce_coordinator.core.deliveries.running import RunningAttempt, run_as
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.telemetry.context import current_span, span

QUICK = 0.2  # seconds: a read time-out that a test can wait for


class FarSide:
    """A server on this machine that gives the answers it was told to, in order, and keeps what it was asked."""

    def __init__(self):
        self.answers, self.requests, self.done = [], [], threading.Event()
        far_side = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                far_side.requests.append((self.command, self.path, self.headers, self.rfile.read(length)))
                status, headers, body = far_side.answers.pop(0)
                if status is None:  # never, as far as the client can tell
                    far_side.done.wait()
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the library's names

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/lms"

    def will_answer(self, status, body=b"", **headers):
        if not isinstance(body, bytes):
            headers.setdefault("Content_Type", "application/json")
            body = json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    def close(self):
        self.done.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def far_side():
    far_side = FarSide()
    yield far_side
    far_side.close()


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Client(ApiClient):
    """Can renew its credentials."""

    passing = PASSING | {406}
    renewed = 0

    def renew_credentials(self):
        self.renewed += 1
        return True


@pytest.fixture
def client(far_side, session):
    return Client(session, url_root=far_side.url, connect_timeout=5, read_timeout=5)


@pytest.fixture
def plain_client(far_side, session):
    return ApiClient(session, url_root=f"{far_side.url}/", connect_timeout=5, read_timeout=5)


@pytest.fixture
def attempt():
    with run_as(
        RunningAttempt(
            delivery_id=uuid.uuid4(),
            attempt_id=uuid.uuid4(),
            receiver="test_shop.enroll",
            number=1,
            idempotency_key="key-1",
            declared_sends=None,
        )
    ) as attempt:
        yield attempt


# --- What comes back ---


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_of_success_is_returned(far_side, client, status):
    far_side.will_answer(status, b"" if status == 204 else {"ok": True})
    response = client.call("POST", "courses", json={"x": 1})
    assert response.status_code == status
    assert status == 204 or response.json() == {"ok": True}
    ((command, path, headers, body),) = far_side.requests
    assert (command, path, json.loads(body)) == ("POST", "/lms/courses", {"x": 1})
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 422])
def test_an_answer_that_will_not_heal_gives_up_with_the_far_sides_words(far_side, client, status):
    far_side.will_answer(status, {"message": "No such course."})
    with pytest.raises(GiveUp) as given_up:
        client.call("GET", "courses")
    assert str(given_up.value) == f"The far side answered {status}: No such course."


@pytest.mark.parametrize("status", [406, 408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_an_answer_that_may_heal_is_tried_again_later(far_side, client, status):
    far_side.will_answer(status, {"detail": "Come back."})
    with pytest.raises(Retry) as retry:
        client.call("GET", "courses")
    assert str(retry.value) == f"The far side answered {status}: Come back."
    assert retry.value.after is None
    assert len(far_side.requests) == 1


def test_what_may_heal_is_each_clients_own_to_say(far_side, plain_client):
    far_side.will_answer(406, {"detail": "No such learner yet."})
    with pytest.raises(GiveUp, match="406"):
        plain_client.call("GET", "courses")


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        ({"message": "No course.", "detail": "x"}, {}, "No course."),
        ({"detail": "No course."}, {}, "No course."),
        ({"developer_message": "No course."}, {}, "No course."),
        ({"error_description": "Wrong client.", "error": "invalid_client"}, {}, "Wrong client."),
        ({"error": "invalid_client"}, {}, "invalid_client"),
        ({"mode": ["Wrong."]}, {}, "{'mode': ['Wrong.']}"),
        ({"message": {"mode": "Wrong."}}, {}, "{'message': {'mode': 'Wrong.'}}"),
        (["Wrong."], {}, "['Wrong.']"),
        (b"Wrong,\n  very  wrong.", {"Content_Type": "text/plain"}, "Wrong, very wrong."),
        (b"", {}, "no text"),
        (b"<html><body>Secret page</body></html>", {"Content_Type": "text/html; charset=utf-8"}, "an HTML page"),
        (b"<html/>", {"Content_Type": "application/xhtml+xml"}, "an HTML page"),
        (b"{broken", {"Content_Type": "application/json"}, "{broken"),
        ({"message": "x" * 5000}, {}, "x" * LONGEST_MESSAGE),
        (b"y" * 5000, {"Content_Type": "text/plain"}, "y" * LONGEST_MESSAGE),
        (["z" * 5000], {}, ("['" + "z" * 5000)[:LONGEST_MESSAGE]),
    ],
)
def test_the_far_sides_words_are_kept_in_one_short_line(far_side, client, body, headers, message):
    far_side.will_answer(400, body, **headers)
    with pytest.raises(GiveUp) as given_up:
        client.call("GET", "courses")
    assert str(given_up.value) == f"The far side answered 400: {message}"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Mon, 04 May 2026 03:04:01 GMT", 120.0),
        ("Mon, 04 May 2026 05:04:01 +0200", 120.0),
        ("Mon, 04 May 2026 02:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("", None),
        ("Mon, 99 May 2026 02:00:00 GMT", None),
        pytest.param(
            "Mon, 04 May 99999999999999999999 02:00:00 GMT",
            None,
        ),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(far_side, client, time_machine, status, header, seconds):
    time_machine.move_to("2026-05-04T03:02:01Z", tick=False)
    far_side.will_answer(status, {"detail": "Later."}, Retry_After=header)
    with pytest.raises(Retry) as retry:
        client.call("GET", "courses")
    assert retry.value.after == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_call_has_done_nothing_and_is_no_success(far_side, client, status):
    """As when http:// is configured and the far side wants https://: nobody may take the page behind for an answer."""
    far_side.will_answer(status, b"", Location=f"{far_side.url}/elsewhere")
    far_side.will_answer(200, {"ok": True})
    with pytest.raises((Retry, GiveUp), match=str(status)):
        client.call("POST", "enrollment", json={"user": "ada"})
    assert len(far_side.requests) == 1


def test_redirects_in_a_circle_are_no_success(far_side, client, session):
    session.max_redirects = 3
    for _ in range(5):
        far_side.will_answer(302, b"", Location=f"{far_side.url}/courses")
    with pytest.raises((Retry, GiveUp)):
        client.call("GET", "courses")


# --- No answer ---


def test_a_refused_connection_is_tried_again_later(session):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    client = ApiClient(session, url_root=f"http://127.0.0.1:{port}", connect_timeout=5, read_timeout=5)
    with pytest.raises(Retry) as retry:
        client.call("GET", "courses")
    assert str(retry.value) == "No answer from the far side: ConnectionError."
    assert retry.value.after is None


def test_an_answer_that_takes_too_long_is_tried_again_later(far_side, session, attempt):
    client = ApiClient(session, url_root=far_side.url, connect_timeout=5, read_timeout=QUICK)
    far_side.will_answer(None)
    with pytest.raises(Retry, match=r"^No answer from the far side: ReadTimeout\.$"):
        client.call("GET", "courses")
    (note,) = attempt.calls
    assert note["error"] == "ReadTimeout" and "status" not in note
    assert note["ms"] >= QUICK * 1000


def test_an_answer_that_breaks_off_is_tried_again_later(far_side, client):
    far_side.will_answer(200, b"{}", Content_Length="1000", Connection="close")
    with pytest.raises(Retry, match="No answer from the far side"):
        client.call("GET", "courses")


def test_each_call_is_made_with_both_time_outs(far_side, session, monkeypatch):
    client, seen = Client(session, url_root=far_side.url, connect_timeout=3, read_timeout=4), []
    request = session.request
    monkeypatch.setattr(session, "request", lambda *a, **kw: seen.append(kw["timeout"]) or request(*a, **kw))
    far_side.will_answer(401)
    far_side.will_answer(200)
    client.call("GET", "courses")
    assert seen == [(3, 4), (3, 4)]


# --- Credentials ---


def test_a_401_renews_the_credentials_once_and_tries_again(far_side, client, attempt):
    far_side.will_answer(401, {"detail": "Expired."})
    far_side.will_answer(200, {"ok": True})
    assert client.call("POST", "courses", json={"x": 1}, idempotency_key="key-1").json() == {"ok": True}
    assert client.renewed == 1
    first, second = far_side.requests
    assert first[3] == second[3] == b'{"x": 1}'
    assert first[2]["Idempotency-Key"] == second[2]["Idempotency-Key"] == "key-1"
    assert [note["status"] for note in attempt.calls] == [401, 200]


def test_a_second_401_is_tried_again_later_and_renews_nothing_more(far_side, client):
    for _ in range(2):
        far_side.will_answer(401, {"detail": "Expired."})
    with pytest.raises(Retry, match="401: Expired"):
        client.call("GET", "courses")
    assert client.renewed == 1 and len(far_side.requests) == 2


def test_a_client_without_credentials_to_renew_tries_once(far_side, plain_client):
    far_side.will_answer(401, {"detail": "Who are you?"})
    with pytest.raises(Retry, match="Who are you"):
        plain_client.call("GET", "courses")
    assert len(far_side.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 429, 503])
def test_a_refused_token_is_tried_again_later(far_side, client, session, attempt, status):
    """Sessions that fetch a token themselves raise within the call. Our settings are wrong then, not the delivery."""

    def refuse(request):
        with requests.Session() as other:
            other.trust_env = False
            other.get(f"{far_side.url}/access_token").raise_for_status()

    session.auth = refuse
    far_side.will_answer(status, {"error": "invalid_client"}, Retry_After="9")
    with pytest.raises(Retry, match=f"{status}: invalid_client") as retry:
        client.call("GET", "courses")
    assert retry.value.after == 9.0
    (note,) = attempt.calls
    assert (note["status"], note["error"]) == (status, "HTTPError")
    assert [path for _, path, _, _ in far_side.requests] == ["/lms/access_token"]


# --- Headers ---


def test_a_call_carries_the_ids_of_the_trace(far_side, client):
    far_side.will_answer(200)
    with span("delivery") as outer:
        client.call("GET", "courses")
        assert current_span() is outer
    headers = far_side.requests[0][2]
    assert headers["X-Request-ID"] == outer.trace_id
    version, trace_id, span_id, flags = headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", outer.trace_id, "01")
    # A step of its own, not the delivery's.
    assert re.fullmatch("[0-9a-f]{16}", span_id) and span_id != outer.span_id


def test_an_idempotency_key_is_sent_when_there_is_one(far_side, client):
    for key in ("key-1", None):
        far_side.will_answer(200)
        client.call("POST", "courses", idempotency_key=key)
    assert [headers["Idempotency-Key"] for _, _, headers, _ in far_side.requests] == ["key-1", None]


# --- What is kept ---


def test_the_attempt_keeps_each_call_without_query_and_body(far_side, client, attempt, time_machine):
    time_machine.move_to("2026-05-04T03:02:01Z", tick=False)
    far_side.will_answer(200, {"secret": "answer"})
    far_side.will_answer(404, {"message": "Secret words."})
    client.call("POST", "courses", params={"user": "lovelace"}, json={"email": "lovelace@example.com"})
    with pytest.raises(GiveUp):
        client.call("GET", "courses/1", params={"user": "lovelace"})
    first, second = attempt.calls
    assert (first["method"], first["path"], first["status"]) == ("POST", "/lms/courses", 200)
    assert (second["method"], second["path"], second["status"]) == ("GET", "/lms/courses/1", 404)
    assert first["at"].isoformat() == "2026-05-04T03:02:01+00:00"
    assert first["span_id"] == far_side.requests[0][2]["traceparent"].split("-")[2] != second["span_id"]
    assert all(isinstance(note["ms"], float) and note["ms"] >= 0 for note in attempt.calls)
    kept = str(attempt.calls)
    assert "lovelace" not in kept and "ecret" not in kept
    # They were sent all the same.
    assert (
        far_side.requests[0][1] == "/lms/courses?user=lovelace" and b"lovelace@example.com" in far_side.requests[0][3]
    )


def test_a_call_that_got_no_answer_is_kept_too(session, attempt):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    client = ApiClient(session, url_root=f"http://127.0.0.1:{port}/lms", connect_timeout=5, read_timeout=5)
    with pytest.raises(Retry):
        client.call("GET", "courses")
    (note,) = attempt.calls
    assert (note["method"], note["path"], note["error"]) == ("GET", "/lms/courses", "ConnectionError")


def test_parts_of_a_path_are_quoted_and_private_ones_are_not_kept(far_side, client, attempt):
    far_side.will_answer(200)
    client.call(
        "GET",
        "enrollment/{username},{course_key}",
        parts={"course_key": "course-v1:edX+Demo/X?y#z"},
        private_parts={"username": "ada/../{course_key}"},
    )
    path = far_side.requests[0][1]
    assert path == "/lms/enrollment/ada%2F..%2F%7Bcourse_key%7D,course-v1%3AedX%2BDemo%2FX%3Fy%23z"
    (note,) = attempt.calls
    assert note["path"] == "/lms/enrollment/{username},course-v1:edX+Demo/X?y#z"


def test_outside_an_attempt_nothing_is_kept_and_nothing_breaks(far_side, client, caplog):
    caplog.set_level(logging.DEBUG, logger="commerce_coordinator")
    far_side.will_answer(200)
    client.call("GET", "courses", params={"user": "ada"})
    assert "ada" not in "".join(record.getMessage() for record in caplog.records if "commerce" in record.name)


def test_a_root_with_a_slash_at_its_end_is_the_same_root(far_side, plain_client):
    far_side.will_answer(200)
    plain_client.call("GET", "courses")
    assert far_side.requests[0][1] == "/lms/courses"
