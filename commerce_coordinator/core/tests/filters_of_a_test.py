"""Filters and steps that live for one test. The filters pose as the app `signals`', for each must be in some app."""

from collections.abc import Callable
from typing import Any

from openedx_filters import PipelineStep

from commerce_coordinator.core.filters import CoordinatorFilter

APP = "signals"
MODULE = "commerce_coordinator.core.signals.tests.asked"


def type_of(subject: str, app: str = APP) -> str:
    return f"org.edx.coordinator.{app}.{subject}.requested.v1"


def a_filter(subject: str, *, filter_type: str | None = None, module: str = MODULE) -> type[CoordinatorFilter]:
    return type(subject, (CoordinatorFilter,), {"filter_type": filter_type or type_of(subject), "__module__": module})


def a_step(shop: Any, run: Callable[..., Any], name: str | None = None) -> str:
    """A step with this function as its run_filter, named after it. Returns its path."""
    name = name or run.__name__
    shop.keep(name, type(name, (PipelineStep,), {"run_filter": run, "__module__": shop.name}))
    return f"{shop.name}.{name}"


def aloud(*paths: Any, **extra: Any) -> dict[str, Any]:
    """An entry of OPEN_EDX_FILTERS_CONFIG as it should be."""
    return {"fail_silently": False, "pipeline": list(paths), **extra}
