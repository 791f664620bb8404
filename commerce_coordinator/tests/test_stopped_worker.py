"""A worker stopped (SIGSTOP) past its lease cannot settle when it wakes: another has taken over."""

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from commerce_coordinator.console.supervisor import Process

from .service import Purchase, RunningService, dispatches, until

pytestmark = pytest.mark.slow

ENROLL = "commerce_coordinator.plugins.lms.tasks.enroll_learner"
TAKEN_BACK = "Lease ran out."
NOT_SETTLED = "Not settled: the lease ran out and is another's."


@pytest.fixture(autouse=True)
def one_worker_runs(service: RunningService) -> Iterator[None]:
    if not service["worker"].is_running:
        service["worker"].start()
    yield


@pytest.fixture
def another(service: RunningService) -> Iterator[Process]:
    """A second worker beside the first, not started yet. A folder of the embedded broker allows but one."""
    worker = service["worker"]
    command = [*worker.command[:-1], "another@%h"]
    process = Process("another", command, worker.env, lambda name, line: service.log.append((name, line)))
    yield process
    process.kill()


def stopped_by(service: RunningService, point: str) -> list[psutil.Process]:
    """The processes of the pool that stopped at the point, and the worker's main process, which stops now.

    Were it awake, its time limit would end the stopped one before the lease does.
    """
    until(lambda: service.has_burnt(point), what="a process at its point")
    main = psutil.Process(service["worker"].pid)
    main.suspend()
    stopped = [child for child in main.children() if child.status() == psutil.STATUS_STOPPED]
    return [*stopped, main]


def enrolments(story: dict[str, Any]) -> list[list[str]]:
    """Outcomes of the attempts of each enrolment."""
    found = (each for dispatch in dispatches(story["dispatches"]) for each in dispatch["deliveries"])
    return sorted([attempt["outcome"] for attempt in each["attempts"]] for each in found if each["receiver"] == ENROLL)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(f"delivery.ran@{ENROLL}", id="after it enrolled"),
        pytest.param("client.before_call@POST", id="before it enrols, which it does when it wakes"),
    ],
)
def test_worker_stopped_past_its_lease_cannot_settle_when_it_wakes(
    service: RunningService, another: Process, point: str
) -> None:
    taken_back, refused = len(service.lines_with(TAKEN_BACK)), len(service.lines_with(NOT_SETTLED))
    service.light_fuse(point, "SIGSTOP")
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    process, main = stopped_by(service, point)
    if service.redis:
        another.start()
        purchase.assert_in_effect_once()
    else:
        until(lambda: len(service.lines_with(TAKEN_BACK)) > taken_back, what="the lease taken back")

    process.resume()
    until(lambda: len(service.lines_with(NOT_SETTLED)) > refused, what=f"its refusal:\n{service.tail()}")
    main.resume()

    story = purchase.assert_in_effect_once()
    assert enrolments(story) == [["lost", "succeeded"], ["succeeded"], ["succeeded"]]
    service["worker"].kill()  # it goes on or not as the time limits have it


def test_stopped_process_of_the_pool_is_ended_by_the_time_limit_and_another_takes_over(service: RunningService) -> None:
    point = f"delivery.ran@{ENROLL}"
    service.light_fuse(point, "SIGSTOP")
    purchase = Purchase(service)
    assert purchase.post().status_code == 200
    story = purchase.assert_in_effect_once()
    assert service.has_burnt(point)
    assert enrolments(story) == [["lost", "succeeded"], ["succeeded"], ["succeeded"]]
    main = psutil.Process(service["worker"].pid)
    assert psutil.STATUS_STOPPED not in [child.status() for child in main.children()]


def test_pool_processes_killed_while_idle_stop_no_delivery(service: RunningService) -> None:
    # Whoever waits for work may hold a lock that all of them need.
    for _ in range(3):
        for child in psutil.Process(service["worker"].pid).children():
            child.kill()
        purchase = Purchase(service)
        assert purchase.post().status_code == 200
        purchase.assert_in_effect_once()
