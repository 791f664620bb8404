"""`manage.py demo`: one learner's way by HTTP alone: to the storefront, a payment of three courses, to the LMS, his
order in the history, and another learner who tries to see it. If wanted, the LMS asks for one course's money back."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core.trace_text import as_tree
from commerce_coordinator.core.tree import lines
from commerce_coordinator.plugins.demo_lms.purchase import COURSES, fresh_order_number

PROVIDERS = ("stripe", "paypal")
HISTORY = "/orders/order_history/"
MANAGE = Path(__file__).resolve().parents[5] / "manage.py"


class Command(BaseCommand):
    help = (
        "Let a learner buy three courses, by a signed webhook of a provider's stand-in, and show the whole way. "
        "Before, the learner is sent to the storefront; afterwards his order history shows the order, to him alone. "
        "With --refund, the LMS asks for the money of one course back; its access goes and the others stay. "
        "Starts an instance of its own in a temporary folder, unless --url names a running one. "
        "Exit code 0 only if every delivery succeeded, the stand-in LMS holds the enrolments, and the history is so."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="a running instance with local settings, e.g. http://localhost:8140")
        parser.add_argument("--provider", choices=PROVIDERS, default=PROVIDERS[0], help="who takes the money")
        parser.add_argument("--refund", action="store_true", help="then let the LMS ask for one course's money back")
        parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for each end (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        with contextlib.ExitStack() as stack:
            if options["url"] and not options["url"].startswith(("http://", "https://")):
                raise CommandError(f"--url must begin with http://, as in http://{options['url']}.")
            url = (options["url"] or stack.enter_context(self._own_instance())).rstrip("/")
            self.timeout = options["timeout"]
            self.printed: set[str] = set()
            try:
                order_number = fresh_order_number()
                buyer = _Learner(url, f"learner-{order_number.lower()}")
                self._purchase(buyer, order_number, options["provider"])
                if options["refund"]:
                    self._refund(buyer, order_number)
            except requests.RequestException as error:
                raise CommandError(
                    f"{url} does not answer ({type(error).__name__}). Is `make run` running there?"
                ) from None

    # --- The purchase ---

    def _purchase(self, buyer: "_Learner", order_number: str, provider: str) -> None:
        self._visit_the_storefront(buyer)
        form = {
            "order_number": order_number,
            "username": buyer.username,
            "lms_user_id": buyer.lms_user_id,
            "course_run_key": COURSES,
            "provider": provider,
        }
        answer = requests.post(f"{buyer.url}/demo_lms/storefront/", data=form, timeout=30)
        if answer.status_code != requests.codes.created:
            raise CommandError(f"Nothing was bought: the storefront answered {answer.status_code}: {answer.text[:300]}")
        told = answer.json()
        self.stdout.write(f"Order {order_number}: the webhook answered {told['webhook']} in {told['ms']} ms.")
        self._follow(buyer.url, order_number, until=lambda: _active_courses(buyer) == set(COURSES))
        missing = sorted(set(COURSES) - _active_courses(buyer))
        if missing:
            raise CommandError(f"The stand-in LMS lacks enrolments in: {', '.join(missing)}.")
        self.stdout.write(self.style.SUCCESS(f"The stand-in LMS holds the {len(COURSES)} enrolments."))
        self._check_history(buyer, _Learner(buyer.url, f"other-{order_number.lower()}"), order_number)

    def _refund(self, buyer: "_Learner", order_number: str) -> None:
        """As the LMS asks: by the attributes that the enrolment carried."""
        course, *others = COURSES
        enrolled = next(each for each in _enrollments(buyer) if each["course_details"]["course_id"] == course)
        wish = {
            "course_id": course,
            "username": buyer.username,
            "enrollment_attributes": enrolled["attributes"],
        }
        lms = _Learner(buyer.url, f"lms-{order_number.lower()}", staff=True)
        answer = requests.post(f"{lms.url}/lms/refund/", json=wish, headers=lms.headers, timeout=10)
        if answer.status_code != requests.codes.ok or answer.json()["status"] != "requested":
            raise CommandError(f"The refund was not asked for: {answer.status_code}, {answer.text[:300]}")
        self.stdout.write(f"The LMS asks for the money of {course} back: {answer.json()['refund_request_id']}.")
        self._follow(buyer.url, order_number, until=lambda: _active_courses(buyer) == set(others))
        if _active_courses(buyer) != set(others):
            raise CommandError(f"The stand-in LMS still holds the enrolment in {course}, or lacks another.")
        self.stdout.write(self.style.SUCCESS("The money went back, and the access to this course with it."))
        shown = [line["description"] for order in _orders(buyer.get(HISTORY)) for line in order["lines"]]
        if sorted(shown) != ["verified", "verified", "verified, refunded"]:
            raise CommandError(f"The order history is wrong: it shows {shown}.")
        self.stdout.write(self.style.SUCCESS("The buyer's history shows which course was refunded."))

    def _follow(self, url: str, order_number: str, *, until: Callable[[], bool]) -> None:
        """Poll the order's traces until nothing is in flight and the aim is reached; print those that are new."""
        shown, deadline = "", time.monotonic() + self.timeout
        while True:
            answer = requests.get(f"{url}/demo_lms/traces/{order_number}/", timeout=10)
            if answer.status_code == requests.codes.not_found:
                raise CommandError("The instance shows no trace of the order: are its settings the local ones?")
            stories = [story for story in answer.json()["traces"] if story["trace_id"] not in self.printed]
            states = [each["state"] for story in stories for each in _deliveries(story["dispatches"])]
            progress = f"{states.count('succeeded')} of {len(states)} deliveries succeeded"
            if progress != shown:
                shown = progress
                self.stdout.write(f"  … {progress}")
                self.stdout.flush()
            late = time.monotonic() > deadline
            settled = all(story["settled"] for story in stories)
            succeeded = all(story["succeeded"] for story in stories)
            if late or (settled and (not succeeded or until())):
                break
            time.sleep(0.1)
        for story in stories:
            self.printed.add(story["trace_id"])
            self.stdout.write("\n".join(lines(as_tree(story))))
        if not settled:
            raise CommandError("Not settled in time; the tree shows what is in flight. Do worker and relay run?")
        if not succeeded:
            raise CommandError("Not every delivery succeeded; the tree shows which.")

    def _visit_the_storefront(self, buyer: "_Learner") -> None:
        answer = buyer.get("/lms/payment_page_redirect/", params={"sku": ["BAKING", "BREWING", "BOTANY"]})
        if answer.status_code != requests.codes.see_other:
            raise CommandError(f"The learner was not sent to the storefront: {answer.status_code}, {answer.text[:300]}")
        self.stdout.write(f"The learner is sent to the storefront: {answer.headers['Location']}")

    def _check_history(self, buyer: "_Learner", other: "_Learner", order_number: str) -> None:
        mine = [order["number"] for order in _orders(buyer.get(HISTORY))]
        theirs = [order["number"] for order in _orders(other.get(HISTORY))]
        tried = other.get(HISTORY, params={"username": buyer.username})
        if order_number not in mine or theirs or tried.status_code != requests.codes.forbidden:
            raise CommandError(
                f"The order history is wrong: the buyer sees {mine}, another learner {theirs}, and is answered "
                f"{tried.status_code} when he names the buyer."
            )
        self.stdout.write(
            self.style.SUCCESS("The buyer's history shows the order; another learner who names him is answered 403.")
        )

    # --- An instance of its own ---

    @contextlib.contextmanager
    def _own_instance(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="commerce-coordinator-demo-") as folder:
            port, log = _free_port(), Path(folder) / "instance.log"
            self.stdout.write(f"Starting an instance on port {port}; this takes some seconds.")
            self.stdout.flush()
            command = [sys.executable, str(MANAGE), "run", "--port", str(port), "--data", folder]
            env = {**os.environ, "CC_DATA": folder, "CC_PORT": str(port), "CC_ROLE": "command"}
            with log.open("w") as stream:
                process = subprocess.Popen(
                    command, env=env, stdout=stream, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
                )
            try:
                url = f"http://localhost:{port}"
                self._wait(process, url, log)
                yield url
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _wait(self, process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{url}/health/", timeout=2).status_code == requests.codes.ok:
                    return
            time.sleep(0.2)
        self.stderr.write(log.read_text()[-4000:])
        raise CommandError("The instance did not start; its last lines are above.")


class _Learner:
    """Somebody whom the stand-in LMS gives a JWT, and who calls with it."""

    def __init__(self, url: str, username: str, *, staff: bool = False) -> None:
        self.url = url
        self.username = username
        self.lms_user_id = secrets.randbelow(10**12) + 1
        wish = {"username": username, "lms_user_id": self.lms_user_id, "staff": staff}
        answer = requests.post(f"{url}/demo_lms/learner_token/", json=wish, timeout=10)
        if answer.status_code != requests.codes.ok:
            raise CommandError("The instance gives a learner no token: are its settings the local ones?")
        self.headers = {"Authorization": f"JWT {answer.json()['access_token']}"}

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self.headers, timeout=10, allow_redirects=False, **options)


def _orders(answer: requests.Response) -> list[dict[str, Any]]:
    """The orders of a history."""
    if answer.status_code != requests.codes.ok:
        raise CommandError(f"The order history answered {answer.status_code}: {answer.text[:300]}")
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def _enrollments(learner: "_Learner") -> list[dict[str, Any]]:
    answer = requests.get(f"{learner.url}/demo_lms/enrollments/", params={"user": learner.username}, timeout=10)
    found: list[dict[str, Any]] = answer.json()["enrollments"]
    return found


def _active_courses(learner: "_Learner") -> set[str]:
    return {each["course_details"]["course_id"] for each in _enrollments(learner) if each["is_active"]}


def _deliveries(dispatches: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for dispatch in dispatches:
        for delivery in dispatch["deliveries"]:
            yield delivery
            for attempt in delivery["attempts"]:
                yield from _deliveries(attempt["sent"])
            yield from _deliveries(delivery["sent"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
