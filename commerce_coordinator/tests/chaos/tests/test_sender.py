"""The sender is as stubborn as Stripe, and its ledger says what was promised."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from commerce_coordinator.tests.chaos import sender, stream
from commerce_coordinator.tests.service import until

SECRET = "whsec_of_this_test"


class Endpoint:
    """Answers one status after the other, the last one over and over; 0 closes without an answer."""

    def __init__(self, statuses: list[int]) -> None:
        self.statuses = statuses
        self.bodies: list[bytes] = []
        endpoint = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stripe.WebhookSignature.verify_header(body.decode(), self.headers["Stripe-Signature"], SECRET, 300)
                with endpoint.lock:
                    endpoint.bodies.append(body)
                    status = endpoint.statuses.pop(0) if len(endpoint.statuses) > 1 else endpoint.statuses[0]
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


@contextlib.contextmanager
def answering(*statuses: int) -> Iterator[Endpoint]:
    endpoint = Endpoint(list(statuses))
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.server.shutdown()
        thread.join()
        endpoint.server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "AGAIN_AFTER", (0.01,))


def event(*at: float) -> stream.PlannedEvent:
    purchase = stream.Purchase(order_number="EDX-1", payment_id="pi_1", username="a", courses=("course-v1:X+A+1",))
    return stream.PlannedEvent(event_id="evt_1", purchase=purchase, at=at)


def send(endpoint: Endpoint, *at: float) -> sender.Sent:
    sending = sender.Sender(endpoint.url, SECRET, [event(*at)])
    sending.start()
    until(lambda: sending.is_done, what="the sender done", seconds=30)
    sending.stop()
    return sending.ledger["evt_1"]


@pytest.mark.parametrize("status", [0, 302, 400, 503])
def test_what_is_no_2xx_is_sent_again_with_the_same_body(status: int) -> None:
    with answering(status, status, 200) as endpoint:
        line = send(endpoint, 0.0)
    assert (line.sendings, line.answers_2xx) == (3, 1)
    assert line.accepted_at is not None
    assert len(set(endpoint.bodies)) == 1


def test_several_sendings_are_all_made_and_one_acceptance_is_enough() -> None:
    with answering(200, 503) as endpoint:
        line = send(endpoint, 0.0, 0.2)
    assert (line.sendings, line.answers_2xx) == (2, 1)


def test_nothing_is_accepted_without_an_answer() -> None:
    with answering(503) as endpoint:
        sending = sender.Sender(endpoint.url, SECRET, [event(0.0)])
        sending.start()
        until(lambda: sending.ledger["evt_1"].sendings > 3, what="several sendings", seconds=30)
        assert not sending.is_done
        sending.stop()
    assert sending.ledger["evt_1"].accepted_at is None
