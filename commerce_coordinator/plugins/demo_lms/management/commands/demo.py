"""`manage.py demo`: one learner's way by HTTP alone: to the storefront, a payment of three courses, to the LMS, his
order in the history, and another learner who tries to see it."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError, CommandParser

from commerce_coordinator.core.trace_text import as_tree
from commerce_coordinator.core.tree import lines
from commerce_coordinator.plugins.demo_lms.purchase import (
    COURSES,
    fresh_order_number,
    payment_intent_succeeded,
    signed,
)

MANAGE = Path(__file__).resolve().parents[5] / "manage.py"


class Command(BaseCommand):
    help = (
        "Send one purchase of three courses through the service, by a signed Stripe webhook, and show its trace. "
        "Before, the learner is sent to the storefront; afterwards his order history shows the order, to him alone. "
        "Starts an instance of its own in a temporary folder, unless --url names a running one. "
        "Exit code 0 only if every delivery succeeded, the stand-in LMS holds the enrolments, and the history is so."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="a running instance with local settings, e.g. http://localhost:8140")
        parser.add_argument("--secret", default="whsec_local", help="its Stripe signing secret (default whsec_local)")
        parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for the end (default 60)")

    def handle(self, *args: Any, **options: Any) -> None:
        with contextlib.ExitStack() as stack:
            if options["url"] and not options["url"].startswith(("http://", "https://")):
                raise CommandError(f"--url must begin with http://, as in http://{options['url']}.")
            url = (options["url"] or stack.enter_context(self._own_instance())).rstrip("/")
            try:
                self._purchase(url, options["secret"], options["timeout"])
            except requests.RequestException as error:
                raise CommandError(
                    f"{url} does not answer ({type(error).__name__}). Is `make run` running there?"
                ) from None

    # --- The purchase ---

    def _purchase(self, url: str, secret: str, timeout: float) -> None:
        order_number = fresh_order_number()
        buyer = _Learner(url, f"learner-{order_number.lower()}")
        event = payment_intent_succeeded(order_number, username=buyer.username, lms_user_id=buyer.lms_user_id)
        body, headers = signed(event, secret)
        self._visit_the_storefront(buyer)
        started = time.perf_counter()
        answer = requests.post(f"{url}/stripe/webhook/", data=body, headers=headers, timeout=30)
        milliseconds = (time.perf_counter() - started) * 1000
        if answer.status_code != requests.codes.ok:
            raise CommandError(f"The webhook answered {answer.status_code}: {answer.text[:300]}")
        self.stdout.write(f"Order {order_number}: the webhook answered 200 in {milliseconds:.0f} ms.")
        story = self._followed(f"{url}/demo_lms/trace/{event['id']}/", time.monotonic() + timeout)
        self.stdout.write("\n".join(lines(as_tree(story))))
        if not story["succeeded"]:
            raise CommandError("Not every delivery succeeded; the tree shows which.")
        self._check_enrollments(url, buyer.username)
        self._check_history(buyer, _Learner(url, f"other-{order_number.lower()}"), order_number)

    def _followed(self, url: str, deadline: float) -> dict[str, Any]:
        """Poll the trace until nothing is in flight; show how far it is."""
        shown = ""
        while True:
            answer = requests.get(url, timeout=10)
            if answer.status_code == requests.codes.not_found:
                raise CommandError("The instance shows no trace of the event: are its settings the local ones?")
            story: dict[str, Any] = answer.json()
            states = [each["state"] for each in _deliveries(story["dispatches"])]
            progress = f"{states.count('succeeded')} of {len(states)} deliveries succeeded"
            if progress != shown:
                shown = progress
                self.stdout.write(f"  … {progress}")
                self.stdout.flush()
            if story["settled"]:
                return story
            if time.monotonic() > deadline:
                self.stdout.write("\n".join(lines(as_tree(story))))
                raise CommandError("Not settled in time; the tree shows what is in flight. Do worker and relay run?")
            time.sleep(0.1)

    def _check_enrollments(self, url: str, username: str) -> None:
        found = requests.get(f"{url}/demo_lms/enrollments/", params={"user": username}, timeout=10).json()
        enrolled = {each["course_details"]["course_id"] for each in found["enrollments"] if each["is_active"]}
        missing = sorted(set(COURSES) - enrolled)
        if missing:
            raise CommandError(f"The stand-in LMS lacks enrolments in: {', '.join(missing)}.")
        self.stdout.write(self.style.SUCCESS(f"The stand-in LMS holds the {len(COURSES)} enrolments."))

    def _visit_the_storefront(self, buyer: "_Learner") -> None:
        answer = buyer.get("/lms/payment_page_redirect/", params={"sku": ["BAKING", "BREWING", "BOTANY"]})
        if answer.status_code != requests.codes.see_other:
            raise CommandError(f"The learner was not sent to the storefront: {answer.status_code}, {answer.text[:300]}")
        self.stdout.write(f"The learner is sent to the storefront: {answer.headers['Location']}")

    def _check_history(self, buyer: "_Learner", other: "_Learner", order_number: str) -> None:
        mine = _numbers(buyer.get("/orders/order_history/"))
        theirs = _numbers(other.get("/orders/order_history/"))
        tried = other.get("/orders/order_history/", params={"username": buyer.username})
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

    def __init__(self, url: str, username: str) -> None:
        self.url = url
        self.username = username
        self.lms_user_id = secrets.randbelow(10**12) + 1
        wish = {"username": username, "lms_user_id": self.lms_user_id}
        answer = requests.post(f"{url}/demo_lms/learner_token/", json=wish, timeout=10)
        if answer.status_code != requests.codes.ok:
            raise CommandError("The instance gives a learner no token: are its settings the local ones?")
        self.headers = {"Authorization": f"JWT {answer.json()['access_token']}"}

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers=self.headers, timeout=10, allow_redirects=False, **options)


def _numbers(answer: requests.Response) -> list[str]:
    """The order numbers of a history."""
    if answer.status_code != requests.codes.ok:
        raise CommandError(f"The order history answered {answer.status_code}: {answer.text[:300]}")
    return [order["number"] for order in answer.json()["results"]]


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
