import os
import signal

from commerce_coordinator.core.deliveries.tasks import delivery_task


@delivery_task(schedule=[0.2, 0.5])
def drink(bottle: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
