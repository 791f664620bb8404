"""CPU milliseconds per accepted event, on the web side. See README.rst in this folder."""

import argparse
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commerce_coordinator.console.supervisor import answers, free_port  # noqa: E402
from commerce_coordinator.plugins.demo_lms.purchase import (  # noqa: E402
    fresh_order_number,
    payment_intent_succeeded,
    signed,
)
from commerce_coordinator.tests.service import RedisServer, mariadb_database, until  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400, help="events to send (default 400)")
    count = parser.parse_args().events
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = RedisServer(folder)
        redis.start()
        stack.callback(redis.stop)
        env = environment(stack.enter_context(mariadb_database()), redis.url, folder)
        manage = [sys.executable, "manage.py"]
        subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        subprocess.run([*manage, "collectstatic", "--noinput", "-v0"], cwd=ROOT, env=env, check=True)
        port = free_port()
        web = stack.enter_context(gunicorn(port, env))
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/health/"), what="gunicorn answers", seconds=30)
        session = stack.enter_context(requests.Session())
        send_events(session, url, 50)  # warm up
        empty = cpu_per_call(web, lambda: get_index(session, url, count), count)
        event = cpu_per_call(web, lambda: send_events(session, url, count), count)
    print(f"an empty view       {empty:6.2f} ms CPU")
    print(f"an accepted event   {event:6.2f} ms CPU ({count} events)")


def environment(database_url: str, broker_url: str, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.production",
        "CC_ROLE": "web",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": broker_url,
        "SECURE_SSL_REDIRECT": "false",
        "STATIC_ROOT": str(folder / "static"),
        "CC_STRIPE_SECRETS": json.dumps({"": ["whsec_benchmark"]}),
        "CC_STRIPE_LIVEMODE": "false",
        "CC_LMS_URL_ROOT": "http://127.0.0.1:9",
        "CC_LMS_CLIENT_ID": "benchmark",
        "CC_LMS_CLIENT_SECRET": secrets.token_urlsafe(16),
    }


@contextlib.contextmanager
def gunicorn(port: int, env: dict[str, str]):
    command = [str(Path(sys.executable).parent / "gunicorn"), "commerce_coordinator.wsgi", "--workers", "2"]
    command += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning", "--no-control-socket"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def cpu_per_call(web: psutil.Process, work, count: int) -> float:
    """Milliseconds of user and system time that gunicorn's workers took per call."""
    before = cpu_seconds(web)
    work()
    time.sleep(0.2)
    return (cpu_seconds(web) - before) * 1000 / count


def cpu_seconds(web: psutil.Process) -> float:
    return sum(sum(child.cpu_times()[:2]) for child in web.children())


def send_events(session: requests.Session, url: str, count: int) -> None:
    for _ in range(count):
        event = payment_intent_succeeded(fresh_order_number(), username="benchmark")
        body, headers = signed(event, "whsec_benchmark")
        session.post(f"{url}/stripe/webhook/", data=body, headers=headers, timeout=20).raise_for_status()


def get_index(session: requests.Session, url: str, count: int) -> None:
    for _ in range(count):
        session.get(f"{url}/", timeout=20).raise_for_status()


if __name__ == "__main__":
    main()
