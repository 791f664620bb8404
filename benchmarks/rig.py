"""What the benchmarks share: both services as in production, on 127.0.0.1, and CPU time read from the kernel."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from commerce_coordinator.console.supervisor import answers, free_port
from commerce_coordinator.plugins.demo_lms.purchase import fresh_order_number, payment_intent_succeeded, signed
from commerce_coordinator.tests.service import RedisServer, mariadb_database, until

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SECRET = "whsec_benchmark"

PAYMENT_CAPTURED = "commerce_coordinator.plugins.stripe.signals.payment_captured"


@dataclass
class Site:
    """A Django project with a database and a Redis of its own; `wsgi` names what gunicorn serves."""

    name: str
    wsgi: str
    celery: str
    manage: list[str]
    webhook: str
    env: dict[str, str]
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> None:
        subprocess.run([*self.manage, *arguments], cwd=ROOT, env=self.env, check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def process(self, *command: str, **env: str) -> Iterator[psutil.Process]:
        """One of the site's processes, ended with the block. Its output goes nowhere, as into a collected log."""
        popen = subprocess.Popen(
            [sys.executable if command[0] == "python" else str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env={**self.env, **env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield psutil.Process(popen.pid)
        finally:
            popen.terminate()
            try:
                popen.wait(20)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()

    @contextlib.contextmanager
    def web(self) -> Iterator[psutil.Process]:
        """gunicorn with two sync workers; ready when the block begins."""
        options = [
            "--workers",
            "2",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--log-level",
            "warning",
            "--no-control-socket",
        ]
        with self.process("gunicorn", self.wsgi, *options) as process:
            until(lambda: answers(f"{self.url}/"), what=f"{self.name} answers", seconds=30)
            yield process

    @contextlib.contextmanager
    def worker(self) -> Iterator[psutil.Process]:
        """A Celery worker with two pool processes."""
        options = ["worker", "-P", "prefork", "-c", "2", "--without-gossip", "--without-mingle", "-l", "warning"]
        with self.process("celery", "-q", "-A", self.celery, *options, CC_ROLE="worker") as process:
            yield process

    def send(self, session: requests.Session, order_number: str | None = None) -> str:
        """Post one signed event; returns its order number. Raises when the answer is no 2xx."""
        order_number = order_number or fresh_order_number()
        body, headers = signed(payment_intent_succeeded(order_number, username="benchmark"), SECRET)
        session.post(f"{self.url}{self.webhook}", data=body, headers=headers, timeout=20).raise_for_status()
        return order_number


@contextlib.contextmanager
def our_site(folder: Path, receivers: int = 1, **env: str) -> Iterator[Site]:
    """The service with its production settings; payment_captured is routed to this many delivery tasks."""
    with _services(folder) as services:
        map_file = folder / f"map-{receivers}.yml"
        routes = [f"benchmarks.receivers.receiver_{number}" for number in range(receivers)]
        map_file.write_text(json.dumps({"CC_SIGNALS": {PAYMENT_CAPTURED: routes}}))
        site = Site(
            name="commerce_coordinator",
            wsgi="commerce_coordinator.wsgi",
            celery="commerce_coordinator",
            manage=[sys.executable, "manage.py"],
            webhook="/stripe/webhook/",
            env={**services, **_production(folder), "COMMERCE_COORDINATOR_CFG": str(map_file), **env},
        )
        site.command("migrate", "-v0")
        site.command("collectstatic", "--noinput", "-v0")
        yield site


@contextlib.contextmanager
def floor_site(folder: Path, receivers: int = 1, **env: str) -> Iterator[Site]:
    with _services(folder) as services:
        site = Site(
            name="floor",
            wsgi="benchmarks.floor.wsgi",
            celery="benchmarks.floor.celery",
            manage=[sys.executable, "-m", "django"],
            webhook=f"/stripe/webhook/{receivers}/",
            env={
                **os.environ,
                **services,
                "DJANGO_SETTINGS_MODULE": "benchmarks.floor.settings",
                "SECRET_KEY": secrets.token_urlsafe(64),
                "STRIPE_WEBHOOK_SECRET": SECRET,
                **env,
            },
        )
        site.command("migrate", "-v0", "--run-syncdb")
        yield site


@contextlib.contextmanager
def quick_lms(delay: float = 0) -> Iterator[str]:
    """The URL of a far side that answers after `delay` seconds."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.quick_lms", str(port)]
    popen = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "QUICK_LMS_DELAY": str(delay)})
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/calls/"), what="the far side answers", seconds=10)
        yield f"http://127.0.0.1:{port}"
    finally:
        popen.terminate()
        popen.wait()


@contextlib.contextmanager
def _services(folder: Path) -> Iterator[dict[str, str]]:
    redis = RedisServer(folder)
    redis.start()
    try:
        with mariadb_database() as database_url:
            yield {"DATABASE_URL": database_url, "CELERY_BROKER_URL": redis.url}
    finally:
        redis.stop()


def _production(folder: Path) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("CC_")},
        "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "STATIC_ROOT": str(folder / "static"),
        "CC_STRIPE_SECRETS": json.dumps({"": [SECRET]}),
        "CC_STRIPE_LIVEMODE": "false",
        "CC_LMS_URL_ROOT": "http://127.0.0.1:9",
        "CC_LMS_CLIENT_ID": "benchmark",
        "CC_LMS_CLIENT_SECRET": secrets.token_urlsafe(16),
    }


@dataclass(frozen=True)
class Cost:
    """Of one call: milliseconds of CPU on the web side, and milliseconds on the wall."""

    cpu: float
    wall: float


def cost(web: psutil.Process, call: Callable[[], object], count: int) -> Cost:
    """The cost of one call, from `count` of them one after the other."""
    cpu, wall = cpu_seconds(web), time.perf_counter()
    for _ in range(count):
        call()
    wall = time.perf_counter() - wall
    return Cost(cpu=(cpu_seconds(web) - cpu) * 1000 / count, wall=wall * 1000 / count)


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of its children so far, from /proc (in ticks of 10 ms)."""
    return sum(sum(child.cpu_times()[:2]) for child in process.children(recursive=True))


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def as_row(figures: Mapping[str, object]) -> str:
    return "  ".join(
        f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items()
    )
