"""What `send_robust` costs with 1, 3 and 10 inline receivers, by its parts, beside Django's own `send_robust`.

In one process, on MariaDB. The receivers do nothing, so all that is measured is the way to them.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from .rig import inside, median, our_site

RECEIVERS = (1, 3, 10)


def measure(folder: Path, rounds: int = 5, count: int = 300) -> dict[str, Any]:
    """{receivers: {part: {cpu, wall, statements}}}, milliseconds per sending, medians over as many processes.

    The parts: validating, recording, calling, settling; `django` is calling by Django's own `send_robust`.
    """
    place = folder / "sending"
    place.mkdir()
    with our_site(place) as site:
        found = [inside(site, "benchmarks.sending:split", count=count) for _ in range(rounds)]
    for receivers, parts in found[0].items():
        for part, figures in parts.items():
            for clock in ("cpu", "wall"):
                figures[clock] = median([each[receivers][part][clock] for each in found])
    first: dict[str, Any] = found[0]
    return first


def split(count: int) -> dict[str, Any]:
    """Runs inside the site."""
    return {str(receivers): _parts(receivers, count) for receivers in RECEIVERS}


def _parts(receivers: int, count: int) -> dict[str, Any]:
    from django.dispatch import Signal

    from commerce_coordinator.core.deliveries import inline
    from commerce_coordinator.core.deliveries.dispatch import record

    from .inside import each, statements

    functions = [_receiver() for _ in range(receivers)]
    signal, djangos = _signal(functions), Signal()
    for function in functions:
        djangos.connect(function)
    values = _values()

    signal.send_robust(None, **values)  # warm
    validating = each(lambda _: signal.prepare(None, values), range(count))
    prepared = [signal.prepare(None, values) for _ in range(count)]
    recording = each(record, prepared)
    recorded = [record(sending) for sending in prepared]
    # Calling and settling are one function of the engine's; its second half is left away, and then run by itself.
    with mock.patch.object(inline, "_settle", lambda *_: None):
        calling = each(inline.run, recorded)
    went_well = [(found, {delivery.pk: None for delivery in found.deliveries}) for found in recorded]
    settling = each(lambda each: inline._settle(*each), went_well)
    one_more = record(prepared[0])
    return {
        "validating": validating,
        "recording": {**recording, "statements": statements(lambda: record(prepared[0]))},
        "calling": calling,
        "settling": {**settling, "statements": statements(lambda: inline.run(one_more))},
        "django": each(lambda _: djangos.send_robust(None, **values), range(count)),
    }


def _receiver() -> Callable[..., None]:
    def receiver(order_number: str, **kwargs: Any) -> None:
        pass

    return receiver


def _signal(functions: list[Callable[..., None]]) -> Any:
    from commerce_coordinator.core.deliveries.dispatch import Route
    from commerce_coordinator.core.deliveries.models import Delivery
    from commerce_coordinator.core.signals.signal import CoordinatorSignal
    from commerce_coordinator.payloads.orders import OrderPlaced

    signal = CoordinatorSignal(OrderPlaced, subject="order_number", name=f"benchmarks.sending.to_{len(functions)}")
    routes = [
        Route(
            signal=signal.name,
            receiver=f"benchmarks.sending.receiver_{number}",
            kind=Delivery.Kind.INLINE,
            function=function,
            target=function,
        )
        for number, function in enumerate(functions)
    ]
    signal.route_to(routes, "benchmark")
    return signal


def _values() -> dict[str, Any]:
    return {
        "order_number": "EDX-000000001",
        "provider": "stripe",
        "account": "",
        "payment_id": "pi_1",
        "money": {"amount": 44700, "currency": "USD"},
        "lms_user_id": 1313,
        "username": "benchmark",
        "email": "benchmark@example.com",
        "lines": [
            {"line_number": number, "course_key": f"course-v1:DemoX+{number}+2026", "mode": "verified"}
            for number in (1, 2, 3)
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=300, help="sendings per round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for receivers, parts in measure(Path(folder), arguments.rounds, arguments.count).items():
            print(f"{receivers} inline receiver(s):")
            for part, figures in parts.items():
                told = figures.get("statements", "")
                print(f"   {part:10} {figures['cpu']:.3f} ms CPU, {figures['wall']:.3f} ms {told}")


if __name__ == "__main__":
    main()
