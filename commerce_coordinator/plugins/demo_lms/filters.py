"""What the demo asks."""

from commerce_coordinator.core.filters import CoordinatorFilter


class SampleDataRequested(CoordinatorFilter):
    """What does the sample order look like? Asked with `order_number`; its steps answer `order` and then its lines."""

    filter_type = "org.edx.coordinator.demo_lms.sample_data.requested.v1"
