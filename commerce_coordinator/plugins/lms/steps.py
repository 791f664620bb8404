"""Answers that need no more than a setting: addresses of pages that another system has."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from openedx_filters import PipelineStep

from .addresses import with_query

#: Where the order's number goes in CC_ORDER_DETAILS_URL.
PLACE = "{order_number}"


class Storefront(PipelineStep):
    """The storefront of CC_STOREFRONT_URL, with the query that the learner came with. Without one: no answer."""

    def run_filter(self, *, query: str, **_: Any) -> dict[str, Any]:
        return {"redirect_url": with_query(settings.CC_STOREFRONT_URL, query)} if settings.CC_STOREFRONT_URL else {}


class OrderDetailsPage(PipelineStep):
    """The page of CC_ORDER_DETAILS_URL. Without one: no answer."""

    def run_filter(self, *, order_number: str, **_: Any) -> dict[str, Any]:
        template = settings.CC_ORDER_DETAILS_URL
        return {"redirect_url": template.replace(PLACE, quote(order_number, safe=""))} if template else {}
