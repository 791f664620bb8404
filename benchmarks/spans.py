"""What spans cost with OpenTelemetry off and on, in one run. See README.rst in this folder."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commerce_coordinator.core.telemetry import context  # noqa: E402

CALLS = 20_000
REPEATS = 7
ROUNDS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=60, help="events per round, off and on by turns (default 60)")
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DJANGO_SETTINGS_MODULE="commerce_coordinator.settings.local", CC_DATA=folder)
        os.environ.update(CC_ROLE="web", CC_LOG_LEVEL="ERROR", CC_OPENTELEMETRY="false", OPENEDX_TELEMETRY="")
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=os.environ, check=True)
        import django

        django.setup()
        recorder = _exporting()
        one_span(recorder)
        one_event(recorder, events)
        recorder.stop()


def one_span(recorder: Any) -> None:
    """Microseconds of a span around nothing, beside those of its two ids."""
    names = {"span": context.span, "trace": context.new_trace_id, "step": context.new_span_id}
    block = 'with span("process", delivery="d"): pass'
    print(f"two ids              {_microseconds('trace(); step()', names):6.1f} µs")
    print(f"a span, off          {_microseconds(block, names):6.1f} µs")
    context.record_by(recorder)
    print(f"a span, on           {_microseconds(block, names):6.1f} µs")
    context.record_by()


def one_event(recorder: Any, events: int) -> None:
    """CPU milliseconds of an accepted event and of an attempt: medians of rounds, off and on by turns."""
    from commerce_coordinator.core.deliveries.models import Delivery
    from commerce_coordinator.core.deliveries.tasks import deliver

    accept = _acceptance()
    accept()  # warm up
    figures: dict[tuple[str, bool], list[float]] = {}
    for turn in range(2 * ROUNDS):
        on = turn % 2 == 1
        context.record_by(*([recorder] if on else []))
        before = set(Delivery.objects.values_list("pk", flat=True))
        figures.setdefault(("an accepted event", on), []).append(_cpu([accept] * events))
        new = Delivery.objects.exclude(pk__in=before).filter(receiver__endswith=".place_order")
        acts = [lambda key=key: deliver(key.hex) for key in new.values_list("pk", flat=True)]
        figures.setdefault(("an attempt", on), []).append(_cpu(acts))
    context.record_by()
    for name in ("an accepted event", "an attempt"):
        off, on = median(figures[name, False]), median(figures[name, True])
        print(f"{name:<20} {off:6.2f} ms CPU off, {on:6.2f} ms on: {on - off:+.2f} ms")


def _exporting() -> Any:
    """The recorder of a running process, whose batches are encoded as they would be, and not sent."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    from commerce_coordinator.core.telemetry.exporting import Batches, OpenTelemetry, provider_with

    class Encoding(SpanExporter):
        def export(self, spans: Sequence[Any]) -> SpanExportResult:
            encode_spans(spans).SerializePartialToString()
            return SpanExportResult.SUCCESS

    return OpenTelemetry(lambda: provider_with(Batches(Encoding(), max_queue_size=100_000)))


def _acceptance() -> Callable[[], None]:
    from django.test import Client

    from commerce_coordinator.plugins.demo_lms.purchase import fresh_order_number, payment_intent_succeeded, signed

    client = Client()

    def accept() -> None:
        body, headers = signed(payment_intent_succeeded(fresh_order_number(), username="benchmark"), "whsec_local")
        sent = {"Stripe-Signature": headers["Stripe-Signature"]}
        answer = client.post("/stripe/webhook/", body, content_type="application/json", headers=sent)
        if answer.status_code != 200:
            sys.exit(f"The event was answered with {answer.status_code}.")

    return accept


def _microseconds(block: str, names: dict[str, Any]) -> float:
    return min(timeit.repeat(block, number=CALLS, repeat=REPEATS, globals=names)) / CALLS * 1e6


def _cpu(acts: Sequence[Callable[[], object]]) -> float:
    before = time.process_time()
    for act in acts:
        act()
    return (time.process_time() - before) * 1e3 / len(acts)


if __name__ == "__main__":
    main()
