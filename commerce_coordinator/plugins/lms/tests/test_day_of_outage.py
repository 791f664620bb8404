"""The LMS is away for a day: everyone is enrolled all the same, and nobody lends a hand.

A thousand deliveries go through the whole engine: rows, the relay's rounds, attempts and schedule are the real ones,
the clock is frozen and jumps to what is due next. Only the wire is not there: the LMS is called in this process. Ten
thousand go through the schedule alone; through the engine they end so too, but take some minutes.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.conf import settings
from django.db.models import Max, Min
from requests.adapters import HTTPAdapter

from commerce_coordinator.core.deliveries import contracts, publish
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.relay import Relay
from commerce_coordinator.core.deliveries.retry import max_attempts, next_delay
from commerce_coordinator.core.deliveries.tasks import CANARY_TASK, deliver
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.payloads.enrollments import EnrollmentRequested

from ..tasks import enroll_learner
from .conftest import forget_client
from .fake_lms import Answer, Call, FakeLms, html

LEARNERS = 1_000
COURSE = "course-v1:DemoX+Baking+2026"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROUND = timedelta(seconds=30)

#: A round of the relay each 30 s instead of each second spares time here, and makes each attempt up to 30 s late: so
#: much longer is the LMS away.
OUTAGE = timedelta(hours=24) + len(settings.CC_RETRY_SCHEDULE) * ROUND

requested = CoordinatorSignal(EnrollmentRequested, subject="order_number", name=f"{__name__}.requested")


class AwayLms(FakeLms):
    """Answers 503 until it is well again, from then on by the LMS's rules."""

    def __init__(self, well_at: datetime) -> None:
        super().__init__()
        self.url = "http://lms.invalid/lms"
        self.well_at = well_at
        self.refused = 0

    def answer(self, call: Call) -> Answer:
        if datetime.now(UTC) < self.well_at:
            self.refused += 1
            return html(503)
        return super().answer(call)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def lms(clock: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwayLms]:
    lms = AwayLms(NOON + OUTAGE)

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = lms.answer(Call(method=str(request.method), path=request.path_url, headers=headers, body=body))
        response = requests.Response()
        response.status_code, response._content, response.request = answer.status, answer.content, request
        response.url = str(request.url)
        response.headers["Content-Type"] = "text/html" if answer.html else "application/json"
        return response

    monkeypatch.setattr(HTTPAdapter, "send", send)
    settings.CC_LMS_URL_ROOT = lms.url
    forget_client()
    yield lms
    forget_client()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of deliveries that the relay published: the broker."""
    taken: list[str] = []

    def send(self: Any, producer: Any, task: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        if task != CANARY_TASK:
            taken.append(arguments[0])

    monkeypatch.setattr(publish.Publisher, "_send", send)
    return taken


def ask_for_enrolments(count: int) -> None:
    """Recorded all over the outage, the first at its beginning, the last just before its end."""
    contracts.remember(requested.name, EnrollmentRequested)
    receiver = f"{enroll_learner.__module__}.enroll_learner"
    dispatches, deliveries = [], []
    with routes_as({requested.name: [receiver]}):
        for number in range(count):
            at = NOON + timedelta(hours=24) * number / count
            wish = {
                "order_number": f"EDX-{number}",
                "line_number": 1,
                "lms_user_id": number,
                "username": f"learner-{number}",
                "course_key": COURSE,
                "mode": "verified",
            }
            sending = requested.prepare("test", wish)
            dispatch = Dispatch(signal=sending.signal, payload=sending.payload, created_at=at, origin="web")
            dispatch.dedupe_key = dispatch.pk.hex
            dispatches.append(dispatch)
            deliveries.append(Delivery(dispatch=dispatch, receiver=receiver, kind="task", created_at=at))
            deliveries[-1].idempotency_key = deliveries[-1].pk.hex
            deliveries[-1].next_attempt_at = deliveries[-1].wake_at = at
    Dispatch.objects.bulk_create(dispatches, batch_size=500)
    Delivery.objects.bulk_create(deliveries, batch_size=500)


def run_unattended(clock: Any, woken: list[str]) -> "Counter[tuple[bool, str | None]]":
    """Rounds of the relay and what they wake, until nothing is open. Counts the attempts' ends by (away, state)."""
    relay, ends = Relay(), Counter[tuple[bool, str | None]]()
    while due := Delivery.objects.aggregate(at=Min("wake_at"))["at"]:
        clock.move_to(max(datetime.now(UTC) + ROUND, due))
        while relay.tick():
            pass
        away = datetime.now(UTC) < NOON + OUTAGE
        for key in woken:
            ends[away, deliver(key)] += 1
        woken.clear()
        assert not ends[away, "dead"], f"a delivery gave up at {datetime.now(UTC)}"
    return ends


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.timeout(600)
def test_a_day_without_lms_ends_with_everyone_enrolled_and_nobody_had_to_help(
    clock: Any, lms: AwayLms, woken: list[str]
) -> None:
    random.seed(24)
    ask_for_enrolments(LEARNERS)
    ends = run_unattended(clock, woken)

    assert {state for _, state in ends} == {"pending", "succeeded"}
    assert ends[True, "succeeded"] == 0 and lms.refused >= 5 * LEARNERS, "it was away"
    # Each enrolment needs one attempt when the LMS is well again, and so does what hears of it.
    assert ends[False, "succeeded"] == 2 * LEARNERS and ends[False, "pending"] == 0
    assert lms.enrolled.keys() == {(f"learner-{number}", COURSE) for number in range(LEARNERS)}
    assert Counter(lms.kinds)["enrol"] == LEARNERS, "each was enrolled by one call"
    assert not Delivery.objects.exclude(state="succeeded", generation=0).exists()
    assert not Attempt.objects.exclude(outcome__in=["retry", "succeeded"]).exists()
    last = Delivery.objects.aggregate(at=Max("settled_at"))["at"]
    assert last <= NOON + OUTAGE + timedelta(hours=12) + ROUND, "the longest delay is 10 hours, and a fifth"


def attempts_until(well_at: float, *, begun_at: float, chance: float | None) -> int:
    """How many attempts a delivery takes; 0 if it is dead before the LMS is well again. Seconds."""
    at, attempt = begun_at, 1
    while at < well_at:
        delay = next_delay(attempt=attempt, schedule=settings.CC_RETRY_SCHEDULE, chance=chance)
        if delay is None:
            return 0
        at, attempt = at + delay, attempt + 1
    return attempt


@pytest.mark.parametrize("chance", [None, 0.0, 0.999], ids=["as the dice fall", "shortest delays", "longest delays"])
def test_ten_thousand_deliveries_all_over_a_day_of_outage_are_never_dead(chance: float | None) -> None:
    day, count = OUTAGE.total_seconds(), 10_000
    taken = [attempts_until(day, begun_at=day * number / count, chance=chance) for number in range(count)]
    assert min(taken) >= 2
    assert max(taken) <= max_attempts(settings.CC_RETRY_SCHEDULE)
