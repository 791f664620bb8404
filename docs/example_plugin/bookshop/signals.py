"""Two facts, and what each carries."""

from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.payloads.orders import OrderNumber


class BookOrdered(Payload):
    """Somebody bought a printed book."""

    order_number: OrderNumber
    isbn: str
    address: PrivateText


class BookShipped(Payload):
    """The warehouse has packed it."""

    order_number: OrderNumber
    parcel: str


#: Once per order, however often the shop tells of it.
book_ordered = CoordinatorSignal(BookOrdered, subject="order_number", unique_by=("order_number",))
book_shipped = CoordinatorSignal(BookShipped, subject="order_number")
