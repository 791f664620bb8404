"""What the bookshop asks. Who answers is written in settings."""

from commerce_coordinator.core.filters import CoordinatorFilter


class ShippingPriceRequested(CoordinatorFilter):
    """What does a parcel cost? Asked with `country` (ISO 3166, two capitals); answer: `price`, a Money, if known."""

    filter_type = "org.edx.coordinator.bookshop.shipping_price.requested.v1"
