"""What PayPal's plugin asks."""

from commerce_coordinator.core.filters import CoordinatorFilter


class PriceOwedRequested(CoordinatorFilter):
    """What does this order cost? Asked before the buyer's money is taken: his browser may have named the amount.

    Asked with `order_number`, `provider`, `account`, `payment_id` (PayPal's order) and `lines` (none). Answered with
    `details`: an OrderDetails, or None where no source knows the order. A source that is away raises Retry.
    """

    filter_type = "org.edx.coordinator.paypal.price_owed.requested.v1"
