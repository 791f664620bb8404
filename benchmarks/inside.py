"""Run a function inside one of the sites: its settings, its database. `rig.inside` starts it.

    python -m benchmarks.inside commerce_coordinator.celery benchmarks.sending:split '{"count": 100}'

The last line of its output is what the function returned, as JSON.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import django
from django.db import connection

#: What MariaDB counts per connection, by the name that the figures have.
COUNTED = {
    "insert": "Com_insert",
    "select": "Com_select",
    "update": "Com_update",
    "delete": "Com_delete",
    "commit": "Com_commit",
    "set": "Com_set_option",
}


def statements(work: Callable[[], object]) -> dict[str, int]:
    """The statements that the database counted on our connection while `work` ran; kinds without any are left out."""
    before = _status(r"Com\_")
    work()
    after = _status(r"Com\_")
    counted = {kind: after[name] - before[name] for kind, name in COUNTED.items()}
    return {kind: count for kind, count in counted.items() if count}


def rows_read(work: Callable[[], object]) -> int:
    """The rows and index entries that the database looked at on our connection while `work` ran."""
    before = _status(r"Handler\_read")
    work()
    after = _status(r"Handler\_read")
    asking = sum(_status(r"Handler\_read").values()) - sum(after.values())
    return sum(after.values()) - sum(before.values()) - asking


def each(work: Callable[[Any], object], items: Iterable[Any]) -> dict[str, float]:
    """CPU milliseconds of this process, and milliseconds on the wall, per item."""
    items = list(items)
    cpu, wall = time.process_time(), time.perf_counter()
    for item in items:
        work(item)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu * 1000 / len(items), "wall": wall * 1000 / len(items)}


def _status(start: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE %s", [f"{start}%"])
        return {name: int(value) for name, value in cursor.fetchall()}


def main() -> None:
    celery, where, arguments = sys.argv[1:]
    import_module(celery)  # shared tasks need an app
    django.setup()
    module, _, name = where.partition(":")
    print(json.dumps(getattr(import_module(module), name)(**json.loads(arguments))))


if __name__ == "__main__":
    # As the module that the others import: one COUNTED, one `statements`.
    import_module("benchmarks.inside").main()
