"""An inline receiver whose runs can be counted from outside."""

import logging

logger = logging.getLogger(__name__)

NOTE = "The inline receiver ran."


def note_request(order_number: str, line_number: int) -> None:
    logger.info(NOTE, extra={"note": f"{order_number}-{line_number}"})
