"""What fulfilment asks."""

from commerce_coordinator.core.filters import CoordinatorFilter


class OrderDetailsRequested(CoordinatorFilter):
    """What was ordered, and what does it cost?

    Asked with `order_number`, `provider`, `account`, `payment_id` and `lines`, those that the payment itself names.
    Answered with `details`: an OrderDetails, or None where no source knows the order. A source that is away raises
    Retry.
    """

    filter_type = "org.edx.coordinator.fulfillment.order_details.requested.v1"


class PaymentOwnerRequested(CoordinatorFilter):
    """Is this payment one of ours? Asked of a payment that money of went back, and that nobody told of.

    An account at a provider may carry donations and invoices too. Asked with `provider`, `account` and `payment_id`;
    answered with `ours`: True, False, or None where nobody knows.
    """

    filter_type = "org.edx.coordinator.fulfillment.payment_owner.requested.v1"
