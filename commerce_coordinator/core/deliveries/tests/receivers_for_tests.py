"""Signals and receivers that the engine's tests route as they need."""

from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.signals.signal import CoordinatorSignal

HERE = __name__

happened = CoordinatorSignal(subject="order_number", name=f"{HERE}.happened")
followed = CoordinatorSignal(name=f"{HERE}.followed")

#: What the receivers below do, one entry per call, from the front; afterwards they succeed.
script: list[BaseException] = []
calls: list[dict[str, object]] = []


def reset() -> None:
    script.clear()
    calls.clear()
    tries.clear()


@delivery_task(schedule=[10, 20, 30])
def act(**values: object) -> None:
    calls.append(values)
    if script:
        raise script.pop(0)


@delivery_task(sends=[followed], schedule=[10, 20, 30])
def send_on(**values: object) -> None:
    followed.send_robust(sender=send_on, step=1)
    followed.send_robust(sender=send_on, step=2)
    calls.append(values)
    if script:
        raise script.pop(0)


#: What `send_these` sends, one list per try.
tries: list[list[str]] = []


@delivery_task(sends=[followed], schedule=[10, 20, 30])
def send_these(**values: object) -> None:
    for step in tries.pop(0):
        if step == "fail":
            raise RuntimeError("after sending")
        followed.send_robust(sender=send_these, step=step)


@delivery_task(aliases=[f"{HERE}.former_name"])
def present_name(**values: object) -> None:
    calls.append(values)


def note(**values: object) -> str:
    calls.append(values)
    return "noted"


def fail(**values: object) -> None:
    raise ValueError("inline receivers may fail")


__all__ = ["GiveUp", "Retry", "act", "calls", "fail", "followed", "happened", "note", "script", "send_on"]
