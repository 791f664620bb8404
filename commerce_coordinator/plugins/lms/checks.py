"""Steps that are configured and cannot answer: warnings, for a redirect that fails stops no payment."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from commerce_coordinator.core import filter_map

from .addresses import is_safe
from .filters import OrderDetailsPageRedirectRequested, PaymentPageRedirectRequested
from .steps import PLACE, OrderDetailsPage, Storefront


def check_redirects(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Shown by each management command, and by `manage.py check`."""
    return [*_storefront(), *_order_details()]


def _storefront() -> Iterator[CheckMessage]:
    if _is_asked(Storefront, PaymentPageRedirectRequested) and not is_safe(settings.CC_STOREFRONT_URL):
        yield Warning(
            "CC_STOREFRONT_URL is no http or https address: learners who want to pay get a 503.",
            hint="Set it to the storefront's page, such as https://shop.example.com/basket/; or take the step "
            f"{_path(Storefront)} out of the pipeline of {PaymentPageRedirectRequested.filter_type}.",
            id="lms.W001",
        )


def _order_details() -> Iterator[CheckMessage]:
    url = settings.CC_ORDER_DETAILS_URL
    if _is_asked(OrderDetailsPage, OrderDetailsPageRedirectRequested) and not (
        PLACE in url and is_safe(url.replace(PLACE, "1"))
    ):
        yield Warning(
            f"CC_ORDER_DETAILS_URL is no http or https address with {PLACE} in it: the support gets a 503 or no order.",
            hint=f"Set it to such as https://shop.example.com/orders/{PLACE}/; or take the step "
            f"{_path(OrderDetailsPage)} out of the pipeline of {OrderDetailsPageRedirectRequested.filter_type}.",
            id="lms.W002",
        )


def _is_asked(step: type, question: Any) -> bool:
    pipeline = filter_map.read().pipelines.get(question.filter_type)
    return pipeline is not None and _path(step) in pipeline.paths


def _path(step: type) -> str:
    return f"{step.__module__}.{step.__qualname__}"
