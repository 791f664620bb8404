"""OpenTelemetry over real processes: web, worker and relay send one tree, with the very ids of the rows."""

import json
from collections.abc import Iterator

import pytest

from .collector import Collector, Received
from .service import Purchase, RunningService, dispatches, until

pytestmark = pytest.mark.slow

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


@pytest.fixture(scope="module")
def collector(size: str) -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def more_env(collector: Collector) -> dict[str, str]:
    return {
        "CC_OPENTELEMETRY": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "coordinator-of-a-test",
        **QUICK,
    }


def rows(service: RunningService, reference: str) -> dict[str, object]:
    """The ids that the rows have: span id of each dispatch, attempt and call -> that of the span it is a step of."""
    told = json.loads(service.manage("shell", "-v0", "-c", _READ.format(reference=reference)).stdout)
    found: dict[str, object] = told
    return found


_READ = """
import json
from commerce_coordinator.core.deliveries.models import Attempt, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
trace_id = InboxEvent.objects.get(event_id="{reference}").trace_id
sent = Dispatch.objects.filter(trace_id=trace_id).select_related("attempt")
tried = Attempt.objects.filter(delivery__dispatch__trace_id=trace_id).select_related("delivery__dispatch")
print(json.dumps(dict(
    trace_id=trace_id,
    dispatches=[(each.span_id, str(each.pk), each.attempt and each.attempt.span_id) for each in sent],
    attempts=[(each.span_id, str(each.pk), each.delivery.dispatch.span_id) for each in tried],
    calls=[(call["span_id"], call["status"]) for each in tried for call in each.calls if "status" in call],
)))
"""


def test_one_purchase_is_one_tree_with_the_ids_of_its_rows(service: RunningService, collector: Collector) -> None:
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    story = purchase.assert_in_effect_once()
    kept = rows(service, purchase.event["id"])
    sent, tried, called = kept["dispatches"], kept["attempts"], kept["calls"]
    trace_id = str(kept["trace_id"])
    assert len(list(dispatches(story["dispatches"]))) == len(sent) == 8
    wanted = {span_id for span_id, *_ in [*sent, *tried, *called]}

    def arrived() -> dict[str, Received] | None:
        here = {each.span_id: each for each in collector.of_trace(trace_id)}
        roots = [each for each in here.values() if not each.parent_id]
        return here if wanted <= here.keys() and roots else None

    spans: dict[str, Received] = until(arrived, what="all spans at the collector")

    # One tree: a single root, and every other span is a step of one that is there.
    [root] = [each for each in spans.values() if not each.parent_id]
    assert (root.name, root.kind, root.role) == ("POST /stripe/webhook/", "SERVER", "web")
    assert {each.parent_id for each in spans.values() if each is not root} <= spans.keys()

    for span_id, pk, attempt in sent:
        span = spans[span_id]
        assert (span.kind, span.attributes["commerce_coordinator.dispatch.id"]) == ("PRODUCER", pk)
        assert span.parent_id == (attempt or root.span_id)
        assert span.role == ("worker" if attempt else "web")
    for span_id, pk, dispatch in tried:
        span = spans[span_id]
        assert (span.kind, span.attributes["commerce_coordinator.attempt.id"]) == ("CONSUMER", pk)
        assert (span.parent_id, span.role) == (dispatch, "worker")
        assert span.attributes["messaging.message.id"]
    for span_id, status in called:
        span = spans[span_id]
        assert (span.kind, span.attributes["http.response.status_code"]) == ("CLIENT", status)
        assert spans[span.parent_id].kind == "CONSUMER"
    assert len(called) >= 6

    assert {each.service for each in spans.values()} == {"coordinator-of-a-test"}
    assert collector.paths == {"/v1/traces"}
    private = [purchase.username, f"{purchase.username}@", purchase.order_number]
    assert not [each for each in private if each.encode() in collector.bytes]


def test_what_the_relay_sweeps_up_is_linked_to_what_was_sent(service: RunningService, collector: Collector) -> None:
    purchase = Purchase(service)
    service.light_fuse("dispatch.committed")  # the web process dies before it publishes
    with pytest.raises(Exception, match=r"Connection aborted|Connection reset|Remote end"):
        purchase.post()
    service["web"].wait(10)
    service["web"].kill()
    service["web"].start()
    service.instance.wait_until_ready()
    purchase.wait_until_settled()
    kept = rows(service, purchase.event["id"])
    [first] = [span_id for span_id, _, attempt in kept["dispatches"] if attempt is None]

    def swept() -> list[Received]:
        return [each for each in list(collector.spans) if (kept["trace_id"], first) in each.links]

    [published] = until(swept, what="the relay's span")
    assert (published.name, published.kind, published.role) == ("publish", "PRODUCER", "relay")
    assert published.parent_id == "" and published.trace_id != kept["trace_id"]


def test_idle_processes_send_no_spans(service: RunningService, collector: Collector) -> None:
    idle = [each for each in collector.spans if each.role == "relay" and not each.links]
    assert idle == []  # many rounds and some canaries were before this test
    assert not [each for each in collector.spans if "/health/" in each.name]


def test_a_collector_that_is_away_fails_nothing(service: RunningService, collector: Collector) -> None:
    # The module's last test: nothing runs afterwards.
    collector.stop()
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    purchase.assert_in_effect_once()
    until(lambda: service.lines_with("Failed to export"), what="a line that says that spans are lost")
    for process in service.instance.processes.values():
        process.terminate()
    codes = {name: process.wait(20) and process.exit_code for name, process in service.instance.processes.items()}
    assert codes == {"web": 0, "worker": 0, "relay": 0}, service.tail()
    assert not service.lines_with("Traceback"), service.tail(200)
