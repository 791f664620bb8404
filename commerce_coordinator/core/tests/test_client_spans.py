"""Each call on another system is a span, with the id that the attempt keeps of it and the far side gets."""

import uuid
from collections.abc import Iterator

import pytest
import requests
from opentelemetry.trace import SpanKind, StatusCode

from commerce_coordinator.core.deliveries.running import RunningAttempt, run_as
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.telemetry.context import span
from commerce_coordinator.core.telemetry.tests.in_memory import (
    Exported,
    attributes_of,
    exported,
    parent_of,
    span_id_of,
    trace_id_of,
)

from .test_clients import Client, FarSide


@pytest.fixture
def found() -> Iterator[Exported]:
    with exported() as found:
        yield found


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    far_side = FarSide()
    yield far_side
    far_side.close()


@pytest.fixture
def client(far_side: FarSide) -> Iterator[Client]:
    with requests.Session() as session:
        session.trust_env = False
        yield Client(session, url_root=far_side.url, connect_timeout=5, read_timeout=5)


@pytest.fixture
def attempt() -> Iterator[RunningAttempt]:
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


def test_a_call_is_a_span_without_what_is_private(
    found: Exported, far_side: FarSide, client: Client, attempt: RunningAttempt
) -> None:
    far_side.will_answer(200, {"email": "zoe@example.com"})
    with span("process") as outer:
        client.call(
            "GET",
            "seats/{seat}/{name}",
            parts={"seat": "7"},
            private_parts={"name": "zoe"},
            params={"user": "zoe"},
        )
    called = found.named("GET /lms/seats/{seat}/{name}")
    assert (trace_id_of(called), parent_of(called), called.kind) == (outer.trace_id, outer.span_id, SpanKind.CLIENT)
    assert span_id_of(called) == attempt.calls[0]["span_id"]
    assert far_side.requests[0][2]["traceparent"] == f"00-{outer.trace_id}-{span_id_of(called)}-01"
    port = far_side.server.server_port
    assert attributes_of(called) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.full": f"http://127.0.0.1:{port}/lms/seats/7/{{name}}",
        "url.path": "/lms/seats/7/{name}",
        "url.template": "/lms/seats/{seat}/{name}",
    }
    assert "zoe" not in called.to_json()


def test_a_second_try_with_a_new_token_is_a_span_of_its_own(
    found: Exported, far_side: FarSide, client: Client, attempt: RunningAttempt
) -> None:
    far_side.will_answer(401)
    far_side.will_answer(200, {})
    with span("process"):
        client.call("GET", "seats")
    first, second, _ = found.spans
    assert [span_id_of(first), span_id_of(second)] == [each["span_id"] for each in attempt.calls]
    assert (first.status.status_code, second.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    assert attributes_of(first)["error.type"] == "401"
    assert attributes_of(second)["http.request.resend_count"] == 1


def test_a_refusal_leaves_as_its_status(found: Exported, far_side: FarSide, client: Client) -> None:
    far_side.will_answer(403, {"detail": "zoe may not"})
    with pytest.raises(GiveUp):
        client.call("POST", "seats")
    [called] = found.spans
    assert (called.status.status_code, attributes_of(called)["error.type"]) == (StatusCode.ERROR, "403")
    assert "zoe" not in called.to_json()


def test_no_answer_leaves_as_what_was_raised(found: Exported, far_side: FarSide, client: Client) -> None:
    far_side.will_answer(None)
    client.timeout = (5, 0.2)
    with pytest.raises(Retry):
        client.call("POST", "seats")
    [called] = found.spans
    assert attributes_of(called)["error.type"] == "ReadTimeout"
    assert "http.response.status_code" not in attributes_of(called)
