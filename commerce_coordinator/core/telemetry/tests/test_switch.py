"""OpenTelemetry is off unless it is asked for; asked for and not there, nothing starts."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commerce_coordinator.core import telemetry
from commerce_coordinator.core.signals.checks import check_map
from commerce_coordinator.core.telemetry import context, switch
from commerce_coordinator.core.telemetry.exporting import OpenTelemetry
from commerce_coordinator.core.telemetry.middleware import RequestSpanMiddleware
from commerce_coordinator.core.telemetry.monitoring import Monitoring

ROOT = Path(telemetry.__file__).parents[3]
PATIENCE = 60  # seconds until a process that does not end is a failure

#: As if requirements/opentelemetry.txt were not installed: a sitecustomize.py, which Python runs before all else.
NOT_INSTALLED = """
import sys

class NotThere:
    def find_spec(name, path, target=None):
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, NotThere)
"""

WAYS_IN = {
    "gunicorn": (3, ["-c", "import commerce_coordinator.wsgi"]),
    "a worker": (1, ["-m", "celery", "-A", "commerce_coordinator", "worker", "--pool=solo"]),
    "a relay": (1, ["manage.py", "relay", "--once", "--skip-checks"]),
}

OFF = """
import sys
import commerce_coordinator.wsgi
from commerce_coordinator.core.telemetry.context import span
with span("webhook") as step:
    assert not step.is_recorded
print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf"))))
ours = [f"commerce_coordinator.core.telemetry.{name}" for name in ("exporting", "monitoring")]
print([name for name in ours if name in sys.modules])
"""

FORKED = """
import os
import commerce_coordinator.wsgi
from commerce_coordinator.core.telemetry import switch
from commerce_coordinator.core.telemetry.context import span
with span("in the parent"):
    pass
child = os.fork()
if child == 0:
    with span("in the child"):
        pass
    switch.stop()  # as a process of Celery's pool does
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder, without = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("without")
    (without / "sitecustomize.py").write_text(NOT_INSTALLED)

    def run(*arguments, installed=True, **more):
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("CC_DATA", "PYTEST", "OTEL"))
        }
        environment.update(
            DJANGO_SETTINGS_MODULE="commerce_coordinator.settings.test",
            PYTHONPATH=str(ROOT) if installed else os.pathsep.join([str(without), str(ROOT)]),
            CC_DATA=str(folder),
            **more,
        )
        return subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


@pytest.fixture
def switched(settings, monkeypatch):
    """Switch on as the settings say, and afterwards off."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    before = context.recorders()

    def switched():
        switch.switch_on()
        return [type(each) for each in context.recorders()]

    yield switched
    context.record_by(*before)


def test_off_nothing_of_opentelemetry_is_imported(start):
    ended = start("-c", OFF)
    found, ours = ended.stdout.splitlines()
    # redis takes what is installed for metrics of its own; spans and their way out are our affair.
    theirs = ("opentelemetry.sdk.trace.", "opentelemetry.exporter", "opentelemetry.proto", "google.protobuf")
    assert [name for name in ast.literal_eval(found) if name.startswith(theirs)] == []
    assert ours == "[]"


def test_off_it_needs_no_packages(start):
    ended = start("-c", OFF, installed=False)
    assert (ended.returncode, ended.stdout) == (0, "[]\n[]\n"), ended.stderr


@pytest.mark.parametrize(("code", "arguments"), WAYS_IN.values(), ids=WAYS_IN.keys())
def test_on_without_the_packages_nothing_starts(start, code, arguments):
    ended = start(*arguments, installed=False, CC_OPENTELEMETRY="true")
    assert ended.returncode == code, ended.stderr
    assert "cc.E040: CC_OPENTELEMETRY is on, but opentelemetry, opentelemetry.sdk," in ended.stderr
    assert "HINT: pip install -r requirements/opentelemetry.txt" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_djangos_check_lists_the_missing_packages(start):
    ended = start("manage.py", "check", installed=False, CC_OPENTELEMETRY="true")
    assert ended.returncode != 0
    assert "(cc.E040)" in ended.stderr


def test_a_forked_process_exports_its_own_spans_and_no_others(start):
    ended = start("-c", FORKED, CC_OPENTELEMETRY="true", OTEL_TRACES_EXPORTER="console")
    assert ended.returncode == 0, ended.stderr
    spans, rest = [], ended.stdout
    while rest:
        span, end = json.JSONDecoder().raw_decode(rest)
        spans.append(span)
        rest = rest[end:].lstrip()
    assert sorted(each["name"] for each in spans) == ["in the child", "in the parent"]
    assert len({each["resource"]["attributes"]["process.pid"] for each in spans}) == 2
    assert len({each["resource"]["attributes"]["service.instance.id"] for each in spans}) == 2


def test_each_switch_brings_its_recorder(settings, switched, monkeypatch):
    assert switched() == []
    settings.CC_OPENTELEMETRY = True
    assert switched() == [OpenTelemetry]
    settings.OPENEDX_TELEMETRY = ["commerce_coordinator.core.telemetry.tests.test_monitoring.Backend"]
    assert switched() == [OpenTelemetry, Monitoring]
    monkeypatch.setenv("OTEL_SDK_DISABLED", "True")
    assert switched() == [Monitoring]
    settings.OPENEDX_TELEMETRY = []
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert switched() == []


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "Use otlp or console or none, or unset it."),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "Use http/protobuf, or unset it."),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "Use http/protobuf, or unset it."),
    ],
)
def test_a_way_out_that_we_do_not_have_is_a_mistake(settings, switched, monkeypatch, name, value, right):
    monkeypatch.setenv(name, value)
    assert mistakes() == []  # it matters to nobody
    settings.CC_OPENTELEMETRY = True
    [wrong] = mistakes()
    assert (wrong.id, wrong.hint) == ("cc.E041", right)
    assert wrong.msg == f"{name} is {value!r}, and CC_OPENTELEMETRY is on."
    assert switched() == []
    monkeypatch.setenv(name, {"OTEL_TRACES_EXPORTER": "otlp"}.get(name, "http/protobuf"))
    assert mistakes() == []


def mistakes():
    """Of the telemetry; other tests may leave signals behind that are in no map."""
    return [each for each in check_map() if each.id in {"cc.E040", "cc.E041"}]


def test_requests_have_no_span_where_nobody_records(switched):
    with pytest.raises(Exception) as refused:
        RequestSpanMiddleware(lambda request: None)
    assert type(refused.value).__name__ == "MiddlewareNotUsed"
