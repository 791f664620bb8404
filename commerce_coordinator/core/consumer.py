"""Celery's consumer as our workers run it. The setting CELERY_WORKER_CONSUMER names it."""

from functools import partial
from typing import Any

from .unreadable import Consumer as CarefulConsumer

#: Seconds between two tries to reach a broker that is away.
RECONNECT_SECONDS = 1


class Consumer(CarefulConsumer):
    """Drops what is no message, and is back soon after its broker is.

    Celery waits longer from try to try, up to 30 s, and has no setting for it: a learner would wait as long after
    a broker was away for minutes.
    """

    def ensure_connected(self, connection: Any) -> Any:
        steady = {"interval_start": RECONNECT_SECONDS, "interval_step": 0, "interval_max": RECONNECT_SECONDS}
        connection.ensure_connection = partial(connection.ensure_connection, **steady)
        return super().ensure_connected(connection)
