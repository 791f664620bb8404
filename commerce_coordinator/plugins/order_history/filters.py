"""The questions that the systems of record answer."""

from commerce_coordinator.core.filters import CoordinatorFilter


class OrderHistoryRequested(CoordinatorFilter):
    """Which orders has this buyer?

    Asked with `username` and `lms_user_id` (None where it is not known here), `orders` ([]) and `gaps` ([]). A step
    adds its HistoryOrders behind those that it was given, MOST_ORDERS at most, the newest. When its source is away it
    adds the source's name to `gaps` and raises nothing; what it does raise is an error of the whole answer.
    """

    filter_type = "org.edx.coordinator.order_history.order_history.requested.v1"


class OrderReceiptRequested(CoordinatorFilter):
    """Where is the receipt of this order?

    Asked with `order_number`, and with the `username` and `lms_user_id` of the buyer, whose order it is: that was
    looked up before. For staff, who may see all, they are "" and None. A step answers `receipt_url`, an https address,
    or {} for an order that is not its own.
    """

    filter_type = "org.edx.coordinator.order_history.order_receipt.requested.v1"
