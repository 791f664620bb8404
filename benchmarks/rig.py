"""What the benchmarks share: both services as in production, on 127.0.0.1, and CPU time read from the kernel."""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from commerce_coordinator.conftest import missing_mariadb, missing_redis
from commerce_coordinator.console.supervisor import answers, free_port
from commerce_coordinator.plugins.demo_lms.purchase import fresh_order_number, payment_intent_succeeded, signed
from commerce_coordinator.settings.local_keys import public_set, signing_key
from commerce_coordinator.tests.service import RedisServer, mariadb_database, until

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SECRET = "whsec_benchmark"
#: Whose JWTs our site takes; their key is in the site's folder.
ISSUER, AUDIENCE = "https://lms.example.com/oauth2", "lms-key"

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
    redis: RedisServer
    port: int = field(default_factory=free_port)
    log: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> None:
        subprocess.run([*self.manage, *arguments], cwd=ROOT, env=self.env, check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def process(self, *command: str, **env: str) -> Iterator[psutil.Process]:
        """One of the site's processes, ended with the block. Its output goes to the site's log, or nowhere."""
        with (self.log or Path(os.devnull)).open("ab") as output:
            popen = subprocess.Popen(
                [sys.executable if command[0] == "python" else str(BIN / command[0]), *command[1:]],
                cwd=ROOT,
                env={**self.env, **env},
                stdout=output,
                stderr=output,
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

    @contextlib.contextmanager
    def relay(self) -> Iterator[psutil.Process]:
        with self.process("python", "manage.py", "relay", CC_ROLE="relay") as process:
            yield process

    def send(self, session: requests.Session, order_number: str | None = None) -> str:
        """Post one signed event; returns its order number. Raises when the answer is no 2xx."""
        order_number = order_number or fresh_order_number()
        body, headers = signed(payment_intent_succeeded(order_number, username="benchmark"), SECRET)
        session.post(f"{self.url}{self.webhook}", data=body, headers=headers, timeout=20).raise_for_status()
        return order_number


@contextlib.contextmanager
def our_site(folder: Path, receivers: int = 1, filters: dict[str, Any] | None = None, **env: str) -> Iterator[Site]:
    """The service with its production settings; payment_captured is routed to this many delivery tasks.

    filters: pipelines instead of the shipped ones, by the filter's type.
    """
    with _services(folder) as (services, redis):
        map_file = folder / f"map-{receivers}.yml"
        routes = [f"benchmarks.receivers.receiver_{number}" for number in range(receivers)]
        map_file.write_text(
            json.dumps({"CC_SIGNALS": {PAYMENT_CAPTURED: routes}, "OPEN_EDX_FILTERS_CONFIG": filters or {}})
        )
        site = Site(
            name="commerce_coordinator",
            wsgi="commerce_coordinator.wsgi",
            celery="commerce_coordinator.celery",
            manage=[sys.executable, "manage.py"],
            webhook="/stripe/webhook/",
            redis=redis,
            env={**services, **_production(folder), "COMMERCE_COORDINATOR_CFG": str(map_file), **env},
        )
        site.command("migrate", "-v0")
        site.command("collectstatic", "--noinput", "-v0")
        yield site


@contextlib.contextmanager
def floor_site(folder: Path, receivers: int = 1, **env: str) -> Iterator[Site]:
    with _services(folder) as (services, redis):
        site = Site(
            name="floor",
            wsgi="benchmarks.floor.wsgi",
            celery="benchmarks.floor.celery",
            manage=[sys.executable, "-m", "django"],
            webhook=f"/stripe/webhook/{receivers}/",
            redis=redis,
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
def _services(folder: Path) -> Iterator[tuple[dict[str, str], RedisServer]]:
    redis = RedisServer(folder)
    redis.start()
    try:
        with mariadb_database() as database_url:
            yield {"DATABASE_URL": database_url, "CELERY_BROKER_URL": redis.url}, redis
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
        "CC_LMS_JWT_ISSUER": ISSUER,
        "CC_LMS_JWT_AUDIENCE": AUDIENCE,
        "CC_LMS_JWT_JWK_SET": public_set(signing_key(folder)),
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


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them (0 to 1) do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def figures_of(costs: Sequence[Cost]) -> dict[str, Any]:
    """The medians of the rounds, and each round's CPU."""
    return {
        "cpu": median([each.cpu for each in costs]),
        "wall": median([each.wall for each in costs]),
        "rounds": [round(each.cpu, 2) for each in costs],
    }


def inside(site: Site, where: str, **arguments: Any) -> Any:
    """What a function (`module:name`) returns when it runs with the site's settings, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.inside", site.celery, where, json.dumps(arguments)],
        cwd=ROOT,
        env=site.env,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{where} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def missing() -> list[str]:
    """What the benchmarks need and is not there, one sentence each."""
    found = {"MariaDB": missing_mariadb(), "Redis": missing_redis()}
    return [f"{name} is missing: {why}." for name, why in found.items() if why]
