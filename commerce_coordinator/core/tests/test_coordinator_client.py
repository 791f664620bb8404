"""What a program sees that sends signals through a coordinator's API."""

import json
import uuid
from collections.abc import Iterator

import pytest

from commerce_coordinator.core.clients.coordinator import CoordinatorClient, coordinator_client
from commerce_coordinator.core.deliveries.running import RunningAttempt
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.oauth import forget_all

from .test_clients import FarSide
from .token_server import token_server

ID = "01a209f4-ffd6-79de-b3e3-55651fc0be49"
TAKEN = {"dispatch": ID, "new": True, "deliveries": [{"receiver": "shop.print", "id": ID}], "trace_id": "a" * 32}


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    far_side = FarSide()
    yield far_side
    far_side.close()


@pytest.fixture
def client(far_side: FarSide) -> Iterator[CoordinatorClient]:
    forget_all()
    with token_server("shop") as lms:
        yield CoordinatorClient(far_side.url, lms_url_root=lms, client_id="shop", client_secret="s")
    forget_all()


def test_signal_is_sent_with_its_key_and_a_token(far_side: FarSide, client: CoordinatorClient) -> None:
    far_side.will_answer(202, TAKEN)
    sent = client.send_signal("shop.seat_sold", {"row": 7}, sender="till 3", idempotency_key="B-1")
    [(method, path, headers, body)] = far_side.requests
    assert (method, path) == ("POST", "/lms/api/v1/signals/shop.seat_sold/send/")
    assert json.loads(body) == {"payload": {"row": 7}, "sender": "till 3"}
    assert headers["Idempotency-Key"] == "B-1"
    assert headers["Authorization"].startswith("JWT ")
    assert headers["X-Coordinator-Delivery"] is None
    assert (sent.dispatch, sent.new, sent.trace_id) == (uuid.UUID(ID), True, "a" * 32)
    assert sent.deliveries == (("shop.print", uuid.UUID(ID)),)


def test_attempt_that_sends_is_told(far_side: FarSide, client: CoordinatorClient) -> None:
    far_side.will_answer(202, TAKEN)
    attempt = RunningAttempt(
        delivery_id=uuid.UUID(int=1),
        attempt_id=uuid.UUID(int=2),
        receiver="shop.print",
        number=1,
        idempotency_key="k",
        declared_sends=None,
    )
    client.send_signal("shop.seat_sold", {}, attempt=attempt)
    [(_, _, headers, _)] = far_side.requests
    assert headers["X-Coordinator-Delivery"] == str(attempt.delivery_id)
    assert headers["X-Coordinator-Attempt"] == str(attempt.attempt_id)


@pytest.mark.parametrize(
    ("status", "raised"), [(400, GiveUp), (403, GiveUp), (404, GiveUp), (409, GiveUp), (413, GiveUp), (503, Retry)]
)
def test_refusal_says_whether_it_heals(
    far_side: FarSide, client: CoordinatorClient, status: int, raised: type[Exception]
) -> None:
    far_side.will_answer(status, {"error": {"code": "some_code", "message": "Some words."}})
    with pytest.raises(raised, match=f"answered {status}: some_code: Some words"):
        client.send_signal("shop.seat_sold", {})


def test_token_that_is_refused_is_fetched_anew_once(far_side: FarSide, client: CoordinatorClient) -> None:
    far_side.will_answer(401, {"error": {"code": "authentication_failed", "message": "No."}})
    far_side.will_answer(202, TAKEN)
    assert client.send_signal("shop.seat_sold", {}).new
    assert len(far_side.requests) == 2


@pytest.mark.parametrize("answer", [{}, [], {**TAKEN, "dispatch": "no id"}, {**TAKEN, "deliveries": [1]}, b"<html>"])
def test_answer_without_a_dispatch_is_tried_again(far_side: FarSide, client: CoordinatorClient, answer: object) -> None:
    far_side.will_answer(200, answer)
    with pytest.raises(Retry, match="answered 200, but with no dispatch"):
        client.send_signal("shop.seat_sold", {})


def test_own_client_takes_the_lms_credentials_where_it_has_none(settings) -> None:
    settings.CC_API_URL = "http://coordinator.example.com"
    settings.CC_LMS_CLIENT_ID, settings.CC_LMS_CLIENT_SECRET = "ours", "s"
    assert coordinator_client().session._client_id == "ours"
    assert coordinator_client() is coordinator_client()
    settings.CC_API_CLIENT_ID, settings.CC_API_CLIENT_SECRET = "senders", "t"
    assert coordinator_client().session._client_id == "senders"
