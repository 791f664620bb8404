"""A webhook's span: the request that a provider made, with what became of it and nothing of what is in it."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch
from opentelemetry.trace import SpanKind, StatusCode

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.exceptions import EventNotUnderstood, WebhookRefused
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.inbox.replay import replay_event
from commerce_coordinator.core.inbox.webhooks import ProviderEvent, WebhookView
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.telemetry.context import record_by, recorders
from commerce_coordinator.core.telemetry.middleware import RequestSpanMiddleware
from commerce_coordinator.core.telemetry.monitoring import Monitoring
from commerce_coordinator.core.telemetry.tests.in_memory import (
    Exported,
    attributes_of,
    exported,
    parent_of,
    span_id_of,
    trace_id_of,
)
from commerce_coordinator.core.telemetry.tests.test_monitoring import Backend
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.core.testing.database_faults import inserts_fail

pytestmark = pytest.mark.django_db(transaction=True)

HERE = __name__
NAME = "POST /stall/webhook/<account>/"

sold = CoordinatorSignal(subject="order_number", name=f"{HERE}.sold")


def received(**values: Any) -> None:
    pass


def _build(event: ProviderEvent, account: str) -> dict[str, Any]:
    if "order" not in event.data:
        raise EventNotUnderstood("order is missing.")
    return {"order_number": event.data["order"], "name": event.data["name"]}


class StallWebhook(WebhookView):
    provider = "stall"
    signals = {"sold": (sold, _build)}

    def verify(self, request: Any, body: bytes, account: str) -> None:
        if request.headers.get("X-Signed") != "yes":
            raise WebhookRefused("signature_invalid", "Not signed.")

    def parse(self, body: bytes) -> ProviderEvent:
        data = json.loads(body)
        return ProviderEvent(event_id=data["id"], event_type="sold", data=data)


@pytest.fixture(autouse=True)
def routed():
    with routes_as({sold.name: [f"{HERE}.received"]}):
        yield


@pytest.fixture
def found():
    with exported() as found:
        yield found


def post(signed: str = "yes", **event: Any) -> HttpResponse:
    data = {"id": "evt_1", "name": "Zoe Lovelace", **event}
    request = RequestFactory().post(
        "/stall/webhook/zoe/", json.dumps(data), content_type="application/json", headers={"X-Signed": signed}
    )
    view = StallWebhook.as_view()
    request.resolver_match = ResolverMatch(view, (), {"account": "zoe"}, route="stall/webhook/<account>/")
    return view(request, account="zoe")


def test_the_request_is_the_first_span_of_the_events_trace(found: Exported) -> None:
    post(order="EDX-1")
    event, dispatch, asked = InboxEvent.objects.get(), Dispatch.objects.get(), found.named(NAME)
    assert trace_id_of(asked) == event.trace_id == dispatch.trace_id
    assert (parent_of(asked), asked.kind, asked.status.status_code) == ("", SpanKind.SERVER, StatusCode.UNSET)
    sent = found.with_id(dispatch.span_id)
    assert parent_of(sent) == span_id_of(asked)
    assert attributes_of(asked) == {
        "commerce_coordinator.event.provider": "stall",
        "commerce_coordinator.event.id": str(event.pk),
        "commerce_coordinator.event.type": "sold",
        "commerce_coordinator.event.state": "sent",
        "http.request.method": "POST",
        "http.route": "/stall/webhook/<account>/",
        "http.response.status_code": 200,
        "url.path": "/stall/webhook/<account>/",
        "url.scheme": "http",
    }
    everything = "".join(each.to_json() for each in found.spans)
    assert not [word for word in ("Zoe", "zoe", "EDX-1", "evt_1") if word in everything]


def test_a_duplicate_says_so(found: Exported) -> None:
    post(order="EDX-1")
    found.exporter.clear()
    post(order="EDX-1")
    assert attributes_of(found.named(NAME))["commerce_coordinator.event.state"] == "duplicate"


def test_a_refused_request_is_no_failure_of_ours(found: Exported) -> None:
    assert post("no").status_code == 400
    asked = found.named(NAME)
    assert attributes_of(asked)["http.response.status_code"] == 400
    assert asked.status.status_code is StatusCode.UNSET


def test_an_event_that_is_not_understood_fails_though_it_is_answered_200(found: Exported) -> None:
    assert post().status_code == 200
    asked = found.named(NAME)
    assert asked.status.status_code is StatusCode.ERROR
    assert attributes_of(asked)["error.type"] == "EventNotUnderstood"
    assert attributes_of(asked)["commerce_coordinator.event.state"] == "failed"


def test_a_replayed_event_goes_on_in_its_trace(found: Exported, monkeypatch: pytest.MonkeyPatch) -> None:
    post()
    event = InboxEvent.objects.get()
    monkeypatch.setitem(StallWebhook.signals, "sold", (sold, lambda event, account: {"order_number": "EDX-1"}))
    replay_event(event)
    again = found.named("event replay")
    assert trace_id_of(again) == event.trace_id
    assert attributes_of(again)["commerce_coordinator.event.state"] == "sent"
    assert parent_of(found.with_id(Dispatch.objects.get().span_id)) == span_id_of(again)


def test_a_database_that_is_away_fails_the_request(found: Exported) -> None:
    with inserts_fail(InboxEvent, OperationalError("away")):
        assert post(order="EDX-1").status_code == 503
    asked = found.named(NAME)
    assert attributes_of(asked)["http.response.status_code"] == 503
    assert attributes_of(asked)["error.type"] == "OperationalError"


def test_monitoring_gets_the_ids_and_what_is_not_understood(settings: Any) -> None:
    settings.OPENEDX_TELEMETRY = [f"{Backend.__module__}.Backend"]
    Backend.attributes.clear()
    Backend.exceptions.clear()
    before = recorders()
    record_by(Monitoring())
    try:
        post()
    finally:
        record_by(*before)
    event, told = InboxEvent.objects.get(), dict(Backend.attributes)
    assert told["commerce_coordinator.trace.id"] == event.trace_id
    assert told["commerce_coordinator.event.id"] == str(event.pk)
    assert [type(each).__name__ for each in Backend.exceptions] == ["EventNotUnderstood"]
    assert "Zoe" not in f"{told}{Backend.exceptions}"


def test_any_other_request_has_a_span_by_its_route(found: Exported, client: Any) -> None:
    def answer(request: Any) -> HttpResponse:
        request.resolver_match = ResolverMatch(answer, (), {}, route="orders/<number>/")
        return HttpResponse(status=int(request.GET["status"]))

    middleware = RequestSpanMiddleware(answer)
    for status in (404, 500):
        middleware(RequestFactory().get(f"/orders/EDX-1/?status={status}"))
    missing, failed = found.spans
    assert missing.name == failed.name == "GET /orders/<number>/"
    assert (missing.status.status_code, failed.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert attributes_of(failed)["error.type"] == "500"
    assert "EDX-1" not in missing.to_json()
