"""What runs where the signal is sent: quick, and of no harm when it is lost."""

import logging

logger = logging.getLogger(__name__)


def note_parcel(order_number: str, parcel: str) -> None:
    logger.info("A book is on its way.", extra={"order": order_number, "parcel": parcel})
