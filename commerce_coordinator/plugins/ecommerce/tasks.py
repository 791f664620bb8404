"""What we do at the legacy shop."""

from django.conf import settings

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.exceptions import GiveUp
from commerce_coordinator.payloads.history import MOST_ORDERS

from .client import EcommerceClient, legacy_shop
from .orders import has_redeemed


@delivery_task
def redeem_enrollment_code(*, sku: str, code: str, username: str) -> None:
    """Redeem the code for this learner, unless he has an order of it already. Raises GiveUp and Retry.

    The shop answers a refusal with a page for people, so its orders are read after the call as well as before it.
    """
    shop = legacy_shop()
    if shop is None or not settings.CC_ECOMMERCE_REDEEM_PATH:
        raise GiveUp(
            "No code was redeemed: CC_ECOMMERCE_URL_ROOT and CC_ECOMMERCE_REDEEM_PATH must both be set. Then replay."
        )
    if _is_redeemed(shop, username=username, sku=sku, code=code):
        return
    attempt = running_attempt()
    shop.redeem(username=username, sku=sku, code=code, idempotency_key=attempt.idempotency_key if attempt else None)
    if not _is_redeemed(shop, username=username, sku=sku, code=code):
        raise GiveUp(
            "The legacy shop was asked, and the learner has no order of this code: it is unknown, used up, expired, "
            "not for this SKU or not for all of its price, or the shop redeemed it for the account of this service."
        )


def _is_redeemed(shop: EcommerceClient, *, username: str, sku: str, code: str) -> bool:
    orders, _ = shop.orders_of(username, most=MOST_ORDERS)
    return any(has_redeemed(order, sku=sku, code=code) for order in orders)
