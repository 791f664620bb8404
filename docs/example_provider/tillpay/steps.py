"""Where a buyer finds his receipt."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openedx_filters import PipelineStep


class Receipt(PipelineStep):
    """Tillpay's page of a payment. `payment` is what a step before this one found; other providers' are theirs."""

    def run_filter(self, *, payment: Mapping[str, str] | None = None, **_: Any) -> dict[str, Any]:
        if payment is None or payment["provider"] != "tillpay":
            return {}
        return {"receipt_url": f"https://tillpay.example.com/receipts/{quote(payment['payment_id'], safe='')}"}
