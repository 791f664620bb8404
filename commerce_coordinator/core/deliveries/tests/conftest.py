from collections.abc import Iterator

import pytest

from commerce_coordinator.core.deliveries.models import Delivery
from commerce_coordinator.core.testing import routes_as

from . import receivers_for_tests as r


@pytest.fixture(autouse=True)
def fresh_receivers() -> Iterator[None]:
    r.reset()
    # Every signal must be in the map, those of the tests too.
    with routes_as({f"{r.HERE}.happened": [f"{r.HERE}.act"], f"{r.HERE}.followed": []}):
        yield
    r.reset()


@pytest.fixture
def delivery(db: None) -> Delivery:
    """A delivery of `act`, just recorded."""
    [(_, recorded)] = r.happened.send_robust(sender="test", order_number="EDX-1", value=1)
    assert isinstance(recorded, Delivery)
    return recorded
