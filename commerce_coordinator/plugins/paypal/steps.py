"""What PayPal answers when somebody asks where a receipt is."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openedx_filters import PipelineStep

from .accounts import LIVE, SANDBOX, account_of

#: The buyer's own list of payments: PayPal has no receipt that a link without a log-in would show.
PAGES = {
    LIVE: "https://www.paypal.com/activity/payment/",
    SANDBOX: "https://www.sandbox.paypal.com/activity/payment/",
}


class PayPalReceipt(PipelineStep):
    """PayPal's page of the payment. `payment`: from a step before this one."""

    def run_filter(
        self, *, payment: Mapping[str, str] | None = None, receipt_url: str | None = None, **_: Any
    ) -> dict[str, Any]:
        if receipt_url or payment is None or payment.get("provider") != "paypal":
            return {}
        account = account_of(payment["account"])
        if account is None:
            return {}
        return {"receipt_url": PAGES[account.environment] + quote(payment["payment_id"], safe="")}
