"""What the tests of the demo and of the stand-in LMS share."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import pytest
from celery.signals import after_task_publish
from django.db import connections
from django.test import Client

from commerce_coordinator.plugins.demo_lms.stand_in import tokens

API = "/demo_lms/api/enrollment/v1/enrollment"
COURSE = "course-v1:DemoX+CS101+2026"

#: Few examples, and no clock: a busy machine is no failure.
gently = hypothesis.settings(max_examples=50, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])


class Lms:
    """A caller of the stand-in with a valid token."""

    def __init__(self) -> None:
        self.client = Client(headers={"Authorization": f"JWT {tokens.issue('a-test')}"})

    def post(self, body: Any = None, /, *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
        """POST an enrolment: a whole body, or the usual one with changes. None leaves a field out."""
        usual = {"user": "ada", "course_details": {"course_id": COURSE}, "mode": "verified", "is_active": True}
        if body is None:
            body = {name: value for name, value in {**usual, **changes}.items() if value is not None}
        return self.client.post(API, body, content_type="application/json", headers=headers)

    def get(self, username: str = "ada", course: str = COURSE) -> Any:
        return self.client.get(f"{API}/{username},{course}")

    def list(self, **query: str) -> Any:
        return self.client.get(API, query)

    def order_fault(self, **body: Any) -> Any:
        return self.client.post("/demo_lms/faults/", body, content_type="application/json")

    def calls(self, **query: Any) -> Any:
        return self.client.get("/demo_lms/calls/", query).json()

    def kept(self, **query: str) -> Any:
        return self.client.get("/demo_lms/enrollments/", query).json()


@pytest.fixture
def lms() -> Lms:
    return Lms()


@pytest.fixture
def published() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """(task name, keyword arguments) of each message that the broker took, as Celery tells it."""
    messages: list[tuple[str, dict[str, Any]]] = []

    def note(sender: str, body: Any, **kwargs: Any) -> None:
        messages.append((sender.rpartition(".")[2], body[1]))

    after_task_publish.connect(note, weak=False)
    yield messages
    after_task_publish.disconnect(note)


def at_once(count: int, act: Callable[[Lms, int], Any], *, threads: int = 8) -> list[Any]:
    """Run act(lms, number) `count` times over some threads, each with connections of its own."""

    def run(number: int) -> Any:
        try:
            return act(Lms(), number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(count)))
