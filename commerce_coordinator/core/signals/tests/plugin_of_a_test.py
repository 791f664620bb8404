"""A plugin that lives for one test: signals, receivers and a map, gone afterwards without a trace."""

import contextlib
import sys
import types
from collections.abc import Iterator

from celery import current_app
from django.conf import settings

from commerce_coordinator.core import filters
from commerce_coordinator.core.deliveries import contracts, receivers
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.signals import registry
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as


class TestPlugin:
    """An importable module. What is made through it can be named in a map, as `<module>.<name>`."""

    __test__ = False  # for pytest, which collects by name

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = types.ModuleType(name)
        self.map: dict[str, list[str]] = {}

    def path(self, name):
        return f"{self.name}.{name}"

    def signal(self, name, contract=None, **options):
        """A signal that the map knows and routes to nobody, until `map` or `routed` says otherwise."""
        signal = CoordinatorSignal(contract, name=self.path(name), **options)
        contracts.remember(signal.name, contract)
        self.map[signal.name] = []
        return self.keep(name, signal)

    def keep(self, name, value):
        """Make anything importable."""
        setattr(self.module, name, value)
        return value

    def receiver(self, function):
        """An inline receiver, named after the function."""
        function.__module__, function.__qualname__ = self.name, function.__name__
        return self.keep(function.__name__, function)

    def task(self, function=None, **options):
        """A delivery task, named after the function. What it sends is best declared by path."""
        if function is None:
            return lambda function: self.task(function, **options)
        self.receiver(function)
        return self.keep(function.__name__, delivery_task(**options)(function))

    def routed(self, **receivers_by_signal):
        """For a while: `routed(seat_sold=["take_note"])`. The plugin's other signals go to nobody."""
        changes = {self.path(signal): [self.path(each) for each in to] for signal, to in receivers_by_signal.items()}
        return routes_as({**self.map, **changes})

    @property
    def whole_map(self):
        return {**settings.CC_SIGNALS, **self.map}

    def remove(self):
        mine = f"{self.name}."
        for path in [path for path, task in receivers._tasks.items() if task.path.startswith(mine)]:
            del receivers._tasks[path]
            current_app.tasks.pop(path, None)
        receivers.declared_sends.cache_clear()
        receivers.parameters.cache_clear()
        for name, signal in registry.by_name().items():
            if name.startswith(mine):
                registry._signals.discard(signal)
                contracts._contracts.pop(name, None)
                registry._senders.pop(name, None)
        sys.modules.pop(self.name, None)


@contextlib.contextmanager
def shipped_signals_only() -> Iterator[None]:
    """Without the signals, delivery tasks and filters of other tests, which no map has; all as before afterwards."""
    signals, tasks = set(registry._signals), dict(receivers._tasks)
    defined, by_path = dict(filters.defined), dict(filters._by_path)
    connected = [(signal, signal.routes, signal.map_hash) for signal in signals]
    for signal in signals:
        if ".tests." in signal.name:
            registry._signals.discard(signal)
    for path in [path for path in tasks if ".tests." in path]:
        del receivers._tasks[path]
    for kept in (filters.defined, filters._by_path):
        for key in [key for key, each in kept.items() if ".tests." in each.__module__]:
            del kept[key]
    try:
        yield
    finally:
        for kept, before in ((filters.defined, defined), (filters._by_path, by_path)):
            kept.clear()
            kept.update(before)
        registry._signals.update(signals)
        receivers._tasks.update(tasks)
        for signal, routes, map_hash in connected:
            signal.route_to(routes, map_hash)


@contextlib.contextmanager
def plugin_of_a_test(name: str = "test_shop") -> Iterator[TestPlugin]:
    plugin = TestPlugin(name)
    with shipped_signals_only():
        sys.modules[name] = plugin.module
        try:
            yield plugin
        finally:
            plugin.remove()
