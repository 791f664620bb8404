"""What the crash points cost where no fuses are. See README.rst in this folder."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import timeit
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commerce_coordinator.core import crash_points  # noqa: E402

CALLS = 1_000_000
REPEATS = 7

came: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400, help="events to accept and to deliver (default 400)")
    events = parser.parse_args().events
    if crash_points.ARMED:
        sys.exit("CC_CRASH_FUSES is set: unset it to measure what production pays.")
    nanoseconds = cost_of_a_point()
    print(f"an unarmed point     {nanoseconds:6.1f} ns")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DJANGO_SETTINGS_MODULE="commerce_coordinator.settings.local", CC_DATA=folder)
        os.environ.update(CC_ROLE="web", CC_LOG_LEVEL="ERROR")
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=os.environ, check=True)
        # The modules of the engine bind the name when they are imported, which is below.
        crash_points.reached = lambda point, detail="": came.append(point)
        import django

        django.setup()
        measure(events, nanoseconds)


def cost_of_a_point() -> float:
    """Nanoseconds of one call, the loop's own share taken off."""
    names = {"reached": crash_points.reached, "task": "commerce_coordinator.plugins.lms.tasks.enroll_learner"}
    calls = timeit.repeat('reached("publish.before", task)', number=CALLS, repeat=REPEATS, globals=names)
    return (min(calls) - min(timeit.repeat("pass", number=CALLS, repeat=REPEATS))) / CALLS * 1e9


def measure(events: int, nanoseconds: float) -> None:
    from django.test import Client

    from commerce_coordinator.core.deliveries.models import Delivery
    from commerce_coordinator.core.deliveries.tasks import deliver
    from commerce_coordinator.plugins.demo_lms.purchase import (
        fresh_order_number,
        payment_intent_succeeded,
        signed,
    )

    client = Client()

    def accept() -> None:
        body, headers = signed(payment_intent_succeeded(fresh_order_number(), username="benchmark"), "whsec_local")
        sent = {"Stripe-Signature": headers["Stripe-Signature"]}
        answer = client.post("/stripe/webhook/", body, content_type="application/json", headers=sent)
        if answer.status_code != 200:
            sys.exit(f"The event was answered with {answer.status_code}.")

    accept()  # warm up
    tell("an accepted event", events, nanoseconds, [accept] * events)
    for name in ("place_order", "request_enrollments"):
        waiting = Delivery.objects.filter(receiver__endswith=f".{name}", state=Delivery.State.PENDING)
        keys = [key.hex for key in waiting.values_list("pk", flat=True)]
        deliver(keys.pop())
        tell(name, len(keys), nanoseconds, [lambda key=key: deliver(key) for key in keys])


def tell(name: str, count: int, nanoseconds: float, acts: list) -> None:
    came.clear()
    before = time.process_time()
    for act in acts:
        act()
    milliseconds = (time.process_time() - before) * 1e3 / count
    points = len(came) / count
    share = points * nanoseconds / 1e6 / milliseconds
    print(f"{name:<20} {milliseconds:6.2f} ms CPU, {points:4.1f} points: {points * nanoseconds:5.0f} ns, {share:.4%}")


if __name__ == "__main__":
    main()
