"""A process is killed (SIGKILL) where money goes back, or where PayPal's is taken: it moves once, unattended."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from commerce_coordinator.plugins.demo_lms.purchase import COURSES, fresh_order_number
from commerce_coordinator.tests.service import until

from .crashing import CrashingService

pytestmark = pytest.mark.slow

_PLUGINS = "commerce_coordinator.plugins"
REFUND_REQUESTED = f"{_PLUGINS}.lms.signals.refund_requested"
TAKE_BACK = f"{_PLUGINS}.fulfillment.tasks.take_back_order"
REVOCATION = f"{_PLUGINS}.fulfillment.signals.revocation_requested"
CAPTURE = f"{_PLUGINS}.paypal.tasks.capture_order"
PROVIDERS = ("stripe", "paypal")


def fuses_of_a_refund(provider: str) -> list[str]:
    refund = f"{_PLUGINS}.{provider}.tasks.refund_payment"
    return [
        f"dispatch.committed@{REFUND_REQUESTED}",
        f"publish.before@{refund}",
        f"delivery.claimed@{refund}",
        # POST is the call that moves money; the one of the enrolment's end follows it.
        "client.before_call@POST",
        "client.during_call@POST",
        "client.after_call@POST",
        f"delivery.ran@{refund}",
        f"delivery.settled@{refund}",
        f"delivery.claimed@{TAKE_BACK}",
        f"signal.sent@{REVOCATION}",
        f"delivery.ran@{TAKE_BACK}",
    ]


@pytest.fixture(scope="module")
def crashing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashingService]:
    running = CrashingService(tmp_path_factory.mktemp("refunds"), {})
    running.start()
    try:
        yield running
    finally:
        running.stop()


class Bought:
    """An order of three courses by the storefront."""

    def __init__(self, service: CrashingService, provider: str) -> None:
        self.service, self.provider = service, provider
        self.number = fresh_order_number()
        self.username = f"learner-{self.number.lower()}"
        form = {
            "provider": provider,
            "order_number": self.number,
            "username": self.username,
            "lms_user_id": int(self.number[4:]) + 1,
            "course_run_key": COURSES,
        }
        # The storefront is in the web process, and may die with it; what was kept goes on.
        with contextlib.suppress(requests.ConnectionError):
            answer = requests.post(f"{service.lms}/storefront/", data=form, timeout=30)
            assert answer.status_code == 201, answer.text

    def stories(self) -> list[dict[str, Any]]:
        try:
            answer = requests.get(f"{self.service.lms}/traces/{self.number}/", timeout=10)
        except requests.ConnectionError:
            return []  # the web process is just coming back
        found: list[dict[str, Any]] = answer.json()["traces"] if answer.ok else []
        return found

    def enrollments(self) -> dict[str, dict[str, Any]]:
        answer = requests.get(f"{self.service.lms}/enrollments/", params={"user": self.username}, timeout=10)
        return {each["course_details"]["course_id"]: each for each in answer.json()["enrollments"]}

    def wait_until_in(self, *courses: str) -> None:
        def are_in() -> bool:
            stories = self.stories()
            if not stories or not all(story["settled"] for story in stories):
                return False
            return {key for key, each in self.enrollments().items() if each["is_active"]} == set(courses)

        until(are_in, what=f"access to {len(courses)} courses; last lines:\n{self.service.tail()}")
        assert all(story["succeeded"] for story in self.stories())

    def ask_for_refund(self) -> None:
        """As the LMS does, which asks again where it got no answer."""
        wish = {
            "course_id": COURSES[0],
            "username": self.username,
            "enrollment_attributes": self.enrollments()[COURSES[0]]["attributes"],
        }
        token = {"username": f"lms-{self.number.lower()}", "staff": True, "lms_user_id": int(self.number[4:]) + 2}
        answer = requests.post(f"{self.service.lms}/learner_token/", json=token, timeout=10)
        headers = {"Authorization": f"JWT {answer.json()['access_token']}"}

        def answered() -> str:
            try:
                answer = requests.post(f"{self.service.url}/lms/refund/", json=wish, headers=headers, timeout=10)
            except requests.ConnectionError:
                return ""
            return str(answer.json()["status"]) if answer.ok else ""

        assert until(answered, what="an answer to the refund's request") in {"requested", "requested_before"}

    def at_provider(self, kind: str) -> int:
        """How many captures or refunds there are of the order's one payment."""
        answer = requests.get(f"{self.service.lms}/payments/{self.number}/", timeout=10)
        [payment] = answer.json()["payments"]
        assert payment["provider"] == self.provider
        found = payment["document"]
        kept = found if self.provider == "stripe" else found["purchase_units"][0]["payments"]
        return len(kept[kind])


@pytest.mark.parametrize(
    ("provider", "fuse"), [(provider, fuse) for provider in PROVIDERS for fuse in fuses_of_a_refund(provider)]
)
def test_money_goes_back_once_whoever_dies(crashing: CrashingService, provider: str, fuse: str) -> None:
    bought = Bought(crashing, provider)
    bought.wait_until_in(*COURSES)
    crashing.light_fuse(fuse)
    bought.ask_for_refund()
    bought.wait_until_in(*COURSES[1:])
    assert crashing.has_burnt(fuse), "nobody died"
    assert bought.at_provider("refunds") == 1
    assert len(crashing.calls(bought.username, changed=True)) == len(COURSES) + 1
    mails = crashing.lines_with(f"Subject: Your refund for order {bought.number}")
    assert len(mails) == 1


@pytest.mark.parametrize(
    "fuse",
    [
        f"dispatch.committed@{_PLUGINS}.paypal.signals.order_approved",
        f"delivery.claimed@{CAPTURE}",
        "client.before_call@POST",
        "client.during_call@POST",
        "client.after_call@POST",
        f"delivery.ran@{CAPTURE}",
    ],
)
def test_approved_money_is_taken_once_whoever_dies(crashing: CrashingService, fuse: str) -> None:
    crashing.light_fuse(fuse)
    bought = Bought(crashing, "paypal")
    bought.wait_until_in(*COURSES)
    assert crashing.has_burnt(fuse), "nobody died"
    assert bought.at_provider("captures") == 1
    assert len(crashing.calls(bought.username, changed=True)) == len(COURSES)
