"""Who records spans: nobody, unless CC_OPENTELEMETRY or OPENEDX_TELEMETRY says so.

What they need is imported here and only then: off, a span costs its ids.
"""

import atexit
import importlib.util
import os

from django.conf import settings

from .context import record_by, recorders
from .recording import Recorder

#: What requirements/opentelemetry.in asks for, as it is imported.
PACKAGES = ("opentelemetry.trace", "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")

#: What we can send by, as OpenTelemetry's variables call it. "none": ids and sampling alone.
EXPORTERS = ("otlp", "console", "none")
PROTOCOL = "http/protobuf"
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def switch_on() -> None:
    """Record spans in this process and in those that it forks, as the settings say. May be called again."""
    chosen: list[Recorder] = []
    if exports() and not lacking() and not unknown_ways():
        from .exporting import OpenTelemetry

        chosen.append(OpenTelemetry())
    if settings.OPENEDX_TELEMETRY:
        from .monitoring import Monitoring

        chosen.append(Monitoring())
    record_by(*chosen)


def exports() -> bool:
    """Do spans leave by OpenTelemetry? Its own switches are heeded."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return bool(settings.CC_OPENTELEMETRY) and os.environ.get("OTEL_TRACES_EXPORTER") != "none"


def lacking() -> list[str]:
    """The packages that are needed and not installed."""
    return [name for name in PACKAGES if not _is_installed(name)] if exports() else []


def unknown_ways() -> dict[str, str]:
    """Variables that name an exporter or a protocol that we do not have, with their values."""
    if not exports():
        return {}
    found = {}
    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or EXPORTERS[0]
    if exporter not in EXPORTERS:
        found["OTEL_TRACES_EXPORTER"] = exporter
    named = next((name for name in _PROTOCOLS if os.environ.get(name)), None)
    if exporter == "otlp" and named and os.environ[named] != PROTOCOL:
        found[named] = os.environ[named]
    return found


@atexit.register
def stop() -> None:
    """Let the last spans of this process leave. Ends a process of Celery's pool, which does not exit by itself."""
    for each in recorders():
        each.stop()


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False
