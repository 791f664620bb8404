"""As local, with an inline receiver on the way of a purchase (the shipped map has none), and with short leases."""

from commerce_coordinator.settings.local import *  # noqa: F403
from commerce_coordinator.settings.local import CC_SIGNALS

ENROLLMENT_REQUESTED = "commerce_coordinator.plugins.fulfillment.signals.enrollment_requested"

CC_SIGNALS = {
    **CC_SIGNALS,
    ENROLLMENT_REQUESTED: [
        "commerce_coordinator.tests.crashes.receivers.note_request",
        *CC_SIGNALS[ENROLLMENT_REQUESTED],
    ],
}

# Each death of a worker costs a lease. A busy machine needs nearly all of it for the task, and no limit before the
# hard one, which is the last moment that the start-up check allows.
CC_LEASE_SECONDS = 3
CELERY_TASK_TIME_LIMIT = 2.9
CELERY_TASK_SOFT_TIME_LIMIT = None
