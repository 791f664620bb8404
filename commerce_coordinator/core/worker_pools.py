"""Which kinds of worker can end a task that takes too long? The lease counts on it."""

import logging
from typing import Any

from celery.concurrency import get_implementation

logger = logging.getLogger(__name__)

#: Celery's documentation of time limits: only processes can be ended from outside.
ENDS_TASKS = "celery.concurrency.prefork"


def warn_of_tasks_without_end(pool: Any) -> None:
    """`pool`: a worker's pool as Celery was given it, a name or a class.

    No mistake: the claim's number keeps such a task from settling, and a laptop's debugger wants one process.
    """
    module = getattr(get_implementation(pool), "__module__", "")
    if module != ENDS_TASKS:
        logger.warning(
            "The worker's pool cannot end a task: one that outlives its lease is run a second time. Use prefork.",
            extra={"pool": module},
        )
