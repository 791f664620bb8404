"""For tests of plugins: other routes and steps for a while, what was sent, deliveries run here instead of in a worker.

    with routes_as({"my_shop.signals.seat_sold": ["my_shop.tasks.reserve_seat"]}):
        seat_sold.send_robust(sender="test", order_number="EDX-1")
        run_deliveries()
    assert_sent(seat_reserved, order_number="EDX-1")

    with filters_as({"org.edx.coordinator.my_shop.seat_price.requested.v1": ["my_shop.steps.PriceList"]}):
        assert SeatPriceRequested.ask(seat="A1")["price"] == 5

All but `filters_as` works on real rows, so a test needs a database (`@pytest.mark.django_db`).

`providers` holds what every payment provider's plugin promises, as tests; it needs pytest, and nothing else here does.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils import timezone
from openedx_filters import PipelineStep

from commerce_coordinator.core import filter_map, filters
from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.models import Delivery, Dispatch
from commerce_coordinator.core.deliveries.tasks import deliver
from commerce_coordinator.core.exceptions import WrongMap
from commerce_coordinator.core.signals import registry, routes
from commerce_coordinator.core.signals.signal import CoordinatorSignal

if "pytest" in sys.modules:
    # A promise that is broken then shows both sides of its comparison. It must be said before the modules are imported.
    sys.modules["pytest"].register_assert_rewrite(f"{__name__}.providers", f"{__name__}.provider_stage")

__all__ = ["assert_not_sent", "assert_sent", "filters_as", "routes_as", "run_deliveries", "sent"]


@contextlib.contextmanager
def routes_as(changes: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Route these signals otherwise for a while. Raises WrongMap for mistakes in the changes, as a start would."""
    signal_map = routes.read(changes, complete=False)
    if signal_map.mistakes:
        raise WrongMap(signal_map.mistakes)
    signals = registry.by_name()
    before = {name: (signals[name].routes, signals[name].map_hash) for name in signal_map.routes}
    for name, changed in signal_map.routes.items():
        signals[name].route_to(changed, signal_map.hash)
    try:
        yield
    finally:
        for name, (former, map_hash) in before.items():
            signals[name].route_to(former, map_hash)


@contextlib.contextmanager
def filters_as(changes: Mapping[str, Sequence[str | type[PipelineStep]]]) -> Iterator[None]:
    """Answer these filters otherwise for a while, by steps' paths or classes; in every thread of this process.

    Raises WrongMap for mistakes in the changes, as a start would.
    """
    entries = {name: {"fail_silently": False, "pipeline": steps} for name, steps in changes.items()}
    found = filter_map.read(entries, complete=False, classes=True)
    if found.mistakes:
        raise WrongMap(found.mistakes)
    before = {name: filters.defined[name]._instead for name in found.pipelines}
    for name, pipeline in found.pipelines.items():
        filters.defined[name]._instead = pipeline
    try:
        yield
    finally:
        for name, former in before.items():
            filters.defined[name]._instead = former


def sent(signal: CoordinatorSignal) -> list[dict[str, Any]]:
    """The payloads of all recorded sendings of a signal, oldest first, as receivers get them."""
    return [
        contracts.read(signal.name, payload)
        for payload in Dispatch.objects.filter(signal=signal.name).order_by("id").values_list("payload", flat=True)
    ]


def assert_sent(signal: CoordinatorSignal, *, times: int | None = None, **values: Any) -> None:
    """At least one sending (exactly `times`, if given) carried all of these values."""
    payloads = sent(signal)
    matching = [each for each in payloads if all(name in each and each[name] == values[name] for name in values)]
    expected = "at least once" if times is None else f"{times} times"
    if len(matching) == times or (times is None and matching):
        return
    fields = ", ".join(sorted(values)) or "anything"
    raise AssertionError(
        f"{signal.name} was to be sent {expected} with the given {fields}; "
        f"{len(matching)} of its {len(payloads)} sendings match."
    )


def assert_not_sent(signal: CoordinatorSignal) -> None:
    """No sending of the signal is recorded."""
    count = len(sent(signal))
    if count:
        raise AssertionError(f"{signal.name} was not to be sent, but was, {count} times.")


def run_deliveries(*, most: int = 1000) -> list[Delivery]:
    """Run what is due, as a worker would, until nothing is; what they send on, too. Returns what was run, settled.

    Retries that lie in the future stay; freeze a later time to run them. `most` guards against a circle of sendings.
    """
    ran: list[Delivery] = []
    for _ in range(most):
        due = (
            Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=timezone.now())
            .order_by("id")
            .first()
        )
        if due is None:
            return ran
        deliver(due.pk.hex)
        due.refresh_from_db()
        ran.append(due)
    raise AssertionError(f"More than {most} deliveries were due, one after the other: do signals go round in a circle?")
