"""A service as a site runs it, with what belongs to others around it. Everything is done to it from outside."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests
import yaml

from commerce_coordinator.settings.routes import CC_SIGNALS, DEMO_FILTERS
from commerce_coordinator.tests.service import RedisServer, RunningService

_PLUGINS, _CAMPUS = "commerce_coordinator.plugins", "commerce_coordinator.tests.incidents.campus"

CAPTURED = f"{_PLUGINS}.stripe.signals.payment_captured"
PLACED = f"{_PLUGINS}.fulfillment.signals.order_placed"
ORDER_DETAILS = "org.edx.coordinator.fulfillment.order_details.requested.v1"
TELL_BOOKKEEPING, BOOK_PAYMENT = f"{_CAMPUS}.tasks.tell_bookkeeping", f"{_CAMPUS}.tasks.book_payment"

SECRET = "whsec_local"
ADMIN = ("admin", "admin")

#: Times that an incident takes, in seconds: what is silence, how long a far side may be away.
QUICKER = {
    "CC_CANARY_SECONDS": "1",
    "CC_UNKNOWN_RECEIVER_SECONDS": "2",
    "CC_RETRY_SCHEDULE": "0.2,0.4,0.4",
}

#: A schedule whose last gap leaves an operator time to look before it is over.
PATIENT = "0.2,0.4,15"


class Site(RunningService):
    """`operator_file` holds what is in the operator's YAML; `deploy` starts processes again with it."""

    def __init__(self, folder: Path) -> None:
        self.prices = folder / "prices.json"
        self.prices.write_text("{}")
        self.file = folder / "operator.yml"
        self.release: set[str] = set()
        self.operator_file: dict[str, Any] = {
            "CC_STRIPE_SECRETS": {"": [SECRET]},
            "CC_SIGNALS": {
                CAPTURED: [*CC_SIGNALS[CAPTURED], TELL_BOOKKEEPING],
                PLACED: [*CC_SIGNALS[PLACED], f"{_CAMPUS}.tasks.print_badge"],
            },
            "OPEN_EDX_FILTERS_CONFIG": {
                ORDER_DETAILS: {
                    "fail_silently": False,
                    # Last, so that it has the last word on a price.
                    "pipeline": [*DEMO_FILTERS[ORDER_DETAILS]["pipeline"], f"{_CAMPUS}.steps.PriceList"],
                }
            },
        }
        self.write_file()
        self.broker = RedisServer(folder)
        username, password = ADMIN
        env = {
            "DJANGO_SETTINGS_MODULE": "commerce_coordinator.tests.incidents.settings",
            "COMMERCE_COORDINATOR_CFG": str(self.file),
            "CELERY_BROKER_URL": self.broker.url,
            "CAMPUS_PRICES": str(self.prices),
            "DJANGO_SUPERUSER_USERNAME": username,
            "DJANGO_SUPERUSER_PASSWORD": password,
            "DJANGO_SUPERUSER_EMAIL": "admin@example.com",
        }
        super().__init__(folder, {**QUICKER, **env})

    def start(self) -> None:
        self.broker.start()
        super().start()
        self.manage("createsuperuser", "--noinput")

    def stop(self) -> None:
        super().stop()
        self.broker.stop()

    # --- What an operator does ---

    def write_file(self) -> None:
        self.file.write_text(yaml.safe_dump(self.operator_file, sort_keys=False))

    def route(self, signal: str, *receivers: str) -> None:
        """In the operator's file; `deploy` makes it count."""
        self.operator_file["CC_SIGNALS"][signal] = list(receivers)
        self.write_file()

    def deploy(self, *changes: str, processes: Iterable[str] = ("web", "worker", "relay"), **env: str) -> None:
        """Stop these processes and start them with the file as it is now, and with these changes of the plugin.

        env: what else is in their environment until they are started again.
        """
        self.release |= set(changes)
        self.instance.env["CAMPUS_RELEASE"] = ",".join(sorted(self.release))  # commands are of the release, too
        self.write_file()
        names = list(processes)
        for name in names:
            self[name].terminate()
        for name in names:
            self[name].stop()
        for name in names:
            self[name].start(**env, CAMPUS_RELEASE=self.instance.env["CAMPUS_RELEASE"])
        self.instance.wait_until_ready()

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{self.url}/health/", timeout=10).json()
        return found

    def be_well(self) -> None:
        """Whatever happened to it: all processes run, Redis and the LMS are there, payments go their way."""
        self.broker.start()
        self.lms_is_back()
        stopped = [name for name in self.instance.processes if not self[name].is_running]
        wanted = [*CC_SIGNALS[CAPTURED], BOOK_PAYMENT if "renamed" in self.release else TELL_BOOKKEEPING]
        if self.operator_file["CC_SIGNALS"][CAPTURED] != wanted:
            self.route(CAPTURED, *wanted)
            stopped = ["web", "worker", "relay"]
        if stopped:
            self.deploy(processes=stopped)

    # --- What others do ---

    def price(self, order_number: str, cents: int) -> None:
        """In the system of record."""
        self.prices.write_text(json.dumps({**json.loads(self.prices.read_text()), order_number: cents}))

    def lms_is_back(self) -> None:
        requests.delete(f"{self.url}/demo_lms/faults/", timeout=10).raise_for_status()

    def lms_mends(self, **what: str) -> None:
        """The LMS's administrator makes an account (`user`) or room in a run (`course`)."""
        requests.post(f"{self.url}/demo_lms/mended/", json=what, timeout=10).raise_for_status()
