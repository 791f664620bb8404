"""What fulfilment asks."""

from commerce_coordinator.core.filters import CoordinatorFilter


class OrderDetailsRequested(CoordinatorFilter):
    """What was ordered, and what does it cost?

    Asked with `order_number`, `provider`, `account`, `payment_id` and `lines`, those that the payment itself names.
    Answered with `details`: an OrderDetails, or None where no source knows the order. A source that is away raises
    Retry.
    """

    filter_type = "org.edx.coordinator.fulfillment.order_details.requested.v1"
