"""What a worker does."""

from commerce_coordinator.core.deliveries.tasks import delivery_task

from .client import WarehouseClient
from .signals import book_shipped


@delivery_task(sends=[book_shipped])
def ship_book(*, order_number: str, isbn: str, address: str) -> None:
    """Have the book packed, once, and say so."""
    warehouse = WarehouseClient()
    # A try before this one may have come this far and died: look before you act.
    parcel = warehouse.parcel_of(order_number)
    if parcel is None:
        parcel = warehouse.pack(order_number=order_number, isbn=isbn, address=address)
    book_shipped.send_robust(sender=ship_book, order_number=order_number, parcel=parcel)
