"""Logging: ids and constant sentences in, readable lines (local) or JSON (production) out, private values masked."""

from typing import Any

import structlog

from .context import current_span
from .masking import MASK, is_secret_key, mask, mask_text

_STRUCTURAL = {"event", "level", "logger", "timestamp", "_record", "_from_structlog"}


def add_span(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Put the ids of the running span on the line."""
    step = current_span()
    if step is not None:
        event.setdefault("trace_id", step.trace_id)
        for key, value in step.ids.items():
            event.setdefault(key, value)
    return event


def mask_private(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Mask everything on the line, the formatted exception too."""
    for key, value in event.items():
        if key in _STRUCTURAL:
            if isinstance(value, str):
                event[key] = mask_text(value)
        elif is_secret_key(key):
            event[key] = MASK
        else:
            event[key] = mask(value)
    return event


_SHARED = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_span,
    # The traceback becomes text here, so that the mask sees it.
    structlog.processors.format_exc_info,
)


def logging_settings(*, json: bool, level: str = "INFO", colors: bool = False) -> dict[str, Any]:
    """Django's LOGGING: one stream to stderr, everything through the same processors."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_SHARED],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    mask_private,
                    renderer,
                ],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print each line twice; its server logs request lines with query strings.
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
            # They log user names, e-mail addresses and the values of claims. What matters of it we log ourselves.
            "edx_rest_framework_extensions": {"level": "CRITICAL"},
            "auth_backends": {"level": "CRITICAL"},
            "social": {"level": "CRITICAL"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            # A collector that is away: that spans are lost, not each try.
            "opentelemetry.exporter": {"level": "ERROR"},
            "kombu": {"level": "WARNING"},
        },
    }
