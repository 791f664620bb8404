"""Two sources of orders instead of the real ones, and an empty cache."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from ..filters import OrderHistoryRequested, OrderReceiptRequested
from . import steps_for_tests as steps

HERE = steps.__name__


@pytest.fixture(autouse=True)
def stock(settings: Any) -> Iterator[dict[str, Any]]:
    settings.OPEN_EDX_FILTERS_CONFIG = {
        OrderHistoryRequested.filter_type: {
            "fail_silently": False,
            "pipeline": [f"{HERE}.First", f"{HERE}.Second"],
        },
        OrderReceiptRequested.filter_type: {"fail_silently": False, "pipeline": [f"{HERE}.Receipts"]},
    }
    steps.STOCK.clear()
    steps.ASKED.clear()
    cache.clear()
    yield steps.STOCK
    cache.clear()
