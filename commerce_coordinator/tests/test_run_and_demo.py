"""`manage.py run` and `manage.py demo`, as `make run` and `make demo` call them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from commerce_coordinator.console.supervisor import ROOT, free_port

from .browser import Browser
from .browser.png import is_blank
from .service import QUICK, until


def manage(*arguments: str, data: Path, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def environment(data: Path) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "commerce_coordinator.settings.local", "CC_DATA": str(data)}
    return {**os.environ, **QUICK, **settings}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple["subprocess.Popen[str]", int, Path]]:
    """`manage.py run` on a free port: (process, port, data folder)."""
    data, port = tmp_path_factory.mktemp("run"), free_port()
    log = (data / "log").open("w+")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", "--port", str(port), "--data", str(data)],
        cwd=ROOT,
        env=environment(data),
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: "open http" in (data / "log").read_text(), what="the line that says what to open")
        yield process, port, data
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        log.close()


def test_one_line_says_what_to_open_and_it_opens(running) -> None:
    _, port, data = running
    [line] = [line for line in (data / "log").read_text().splitlines() if "open http" in line]
    assert f"http://localhost:{port}/" in line
    assert requests.get(f"http://localhost:{port}/", timeout=10).json()["service"] == "Commerce Coordinator"
    assert requests.get(f"http://localhost:{port}/admin/login/", timeout=10).status_code == 200


@pytest.mark.chromium
@pytest.mark.needs_chromium
def test_admin_opens_in_a_browser_with_its_styles(running, browser: Browser, tmp_path: Path) -> None:
    _, port, _ = running
    page = browser.page(width=800)
    page.open(f"http://localhost:{port}/admin/login/")
    assert "Commerce Coordinator" in page.text()
    assert 'textbox "Username:"' in page.accessible()
    page.screenshot(tmp_path / "login.png")
    assert not is_blank(tmp_path / "login.png")
    assert not page.problems
    styles = requests.get(f"http://localhost:{port}/static/admin/css/base.css", timeout=10)
    assert (styles.status_code, styles.headers["Content-Type"].partition(";")[0]) == (200, "text/css")


def test_second_instance_on_the_same_folder_is_refused_with_the_remedy(running) -> None:
    _, _, data = running
    done = manage("run", "--port", str(free_port()), "--data", str(data), data=data)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert str(data) in done.stderr
    assert "DATA=" in done.stderr


def test_taken_port_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = manage("run", "--port", str(port), "--data", str(tmp_path), data=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert f"Port {port}" in done.stderr
    assert "PORT=" in done.stderr


def test_demo_on_a_running_instance_shows_the_trace_and_exits_0(running) -> None:
    _, port, data = running
    done = manage("demo", "--url", f"http://localhost:{port}", data=data)
    assert done.returncode == 0, done.stdout + done.stderr
    for hop in (
        "event stripe payment_intent.succeeded",
        "signal stripe.payment_captured",
        "fulfillment.place_order",
        "signal fulfillment.order_placed",
        "fulfillment.request_enrollments",
        "notifications.send_order_confirmation",
        "holds the 3 enrolments",
        "is sent to the storefront",
        "another learner who names him is answered 403",
    ):
        assert done.stdout.count(hop) == 1, hop
    assert done.stdout.count("POST /demo_lms/api/enrollment/v1/enrollment   200") == 3
    assert "learner-" not in done.stdout.partition("✔ event")[2], "no user name in the tree"


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_demo_shows_both_providers_and_a_refund(running, provider: str) -> None:
    _, port, data = running
    done = manage("demo", "--url", f"http://localhost:{port}", "--provider", provider, "--refund", data=data)
    assert done.returncode == 0, done.stdout + done.stderr
    for hop in (
        f"signal {provider}.payment_captured",
        "signal fulfillment.order_placed",
        "holds the 3 enrolments",
        "signal lms.refund_requested",
        f"{provider}.refund_payment",
        f"signal {provider}.payment_refunded",
        "lms.unenroll_learner",
        "notifications.send_refund_confirmation",
        "The money went back",
        "history shows which course was refunded",
    ):
        assert done.stdout.count(hop) == 1, hop
    captures = done.stdout.count("POST /demo_lms/paypal/v2/checkout/orders/")
    assert captures == (1 if provider == "paypal" else 0)


def test_demo_exits_1_when_a_delivery_is_dead(running) -> None:
    _, port, data = running
    fault = {"status": 403, "count": 1, "method": "POST"}
    requests.post(f"http://localhost:{port}/demo_lms/faults/", json=fault, timeout=10).raise_for_status()
    done = manage("demo", "--url", f"http://localhost:{port}", data=data)
    assert done.returncode == 1
    assert "dead" in done.stdout
    assert "Not every delivery succeeded" in done.stderr


def test_demo_without_a_service_there_says_so(tmp_path: Path) -> None:
    done = manage("demo", "--url", f"http://localhost:{free_port()}", data=tmp_path)
    assert done.returncode == 1
    assert "make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_all_three_once_and_cleanly(running) -> None:
    # The module's last test: nothing runs afterwards.
    process, port, data = running
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    until(lambda: not any(child.is_running() for child in children), what="all children ended", seconds=5)
    log = (data / "log").read_text()
    assert log.count("stopping") == 1
    assert "Traceback" not in log
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://localhost:{port}/", timeout=5)


@pytest.mark.slow
def test_demo_starts_an_instance_of_its_own(tmp_path: Path) -> None:
    done = manage("demo", data=tmp_path, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds the 3 enrolments" in done.stdout
