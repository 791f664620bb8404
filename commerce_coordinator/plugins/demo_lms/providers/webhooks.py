"""A provider's webhook: sent at once, and some times more until it is answered with 2xx."""

import logging
import time
from collections.abc import Mapping

import requests

logger = logging.getLogger(__name__)

#: Seconds before each try. A provider goes on for days.
PAUSES = (0.0, 0.2, 1.0)

#: Seconds. The webhook answers in milliseconds.
TIMEOUT = 10


def tell(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
    """(the last answer's status, the milliseconds it took). Raises requests.RequestException if nobody answers."""
    for pause in PAUSES:
        time.sleep(pause)
        started = time.perf_counter()
        answer = requests.post(url, data=body, headers=dict(headers), timeout=TIMEOUT)
        took = (time.perf_counter() - started) * 1000
        if answer.ok:
            break
    return answer.status_code, took


def tell_or_log(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """For an event that follows from a call of the API: the call's answer does not hang on it."""
    try:
        status, _ = tell(url, body, headers)
    except requests.RequestException as error:
        logger.warning("The webhook did not answer.", extra={"error_class": type(error).__name__})
        return
    if status >= 300:
        logger.warning("The webhook was refused.", extra={"status": status})
