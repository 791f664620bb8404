"""What reading a large map costs: 1,000 signals with a contract each, 5,000 routes, every check of the map."""

import sys
import types
from pathlib import Path
from typing import Any

from .rig import inside, median, our_site

SIGNALS, ROUTES_EACH = 1000, 5


def measure(folder: Path, rounds: int = 5) -> dict[str, Any]:
    """{cpu, wall}: milliseconds for one reading of the whole map, medians over as many processes."""
    place = folder / "map"
    place.mkdir()
    with our_site(place) as site:
        found = [inside(site, "benchmarks.map_reading:read") for _ in range(rounds)]
    return {clock: median([each[clock] for each in found]) for clock in ("cpu", "wall")}


def read() -> dict[str, Any]:
    """Runs inside the site. The first reading, as at a start: nothing of it is cached."""
    from django.conf import settings

    from commerce_coordinator.core.signals.checks import check_doubts, check_map

    from .inside import each

    settings.CC_SIGNALS = {**settings.CC_SIGNALS, **_large_map()}

    def work(_: Any) -> None:
        wrong = check_map()
        if wrong:
            raise ValueError(f"The map was to be right: {wrong[:3]}")
        check_doubts()

    return each(work, range(1))


def _large_map() -> dict[str, list[str]]:
    from pydantic import create_model

    from commerce_coordinator.core.deliveries.tasks import delivery_task
    from commerce_coordinator.core.signals.signal import CoordinatorSignal
    from commerce_coordinator.payloads.base import Payload
    from commerce_coordinator.payloads.money import Money

    shop = sys.modules["bench_shop"] = types.ModuleType("bench_shop")

    def keep(name: str, value: Any) -> str:
        setattr(shop, name, value)
        return f"bench_shop.{name}"

    def receiver(name: str) -> Any:
        def take(*, order_number: str, money: Money, line_number: int | None = None) -> None:
            pass

        take.__module__, take.__qualname__, take.__name__ = "bench_shop", name, name
        return take

    found: dict[str, list[str]] = {}
    for number in range(SIGNALS):
        contract = create_model(
            f"Contract{number}", __base__=Payload, order_number=(str, ...), money=(Money, ...), line_number=(int, 1)
        )
        name = keep(f"signal_{number}", CoordinatorSignal(contract, name=f"bench_shop.signal_{number}"))
        # One in five is a delivery task, and sends on: to the signal behind it, so that nothing goes round.
        sends = [f"bench_shop.signal_{number + 1}"] if number + 1 < SIGNALS else []
        task = delivery_task(sends=sends)(receiver(f"task_{number}"))
        paths = [keep(f"task_{number}", task)]
        paths += [keep(each, receiver(each)) for each in (f"take_{number}_{n}" for n in range(1, ROUTES_EACH))]
        found[name] = paths
    return found
