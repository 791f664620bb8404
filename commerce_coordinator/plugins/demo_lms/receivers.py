"""The demo's inline receivers. Each logs that it was called, or starts a Celery task, or sends the next signal.

They start plain Celery tasks, which a lost message loses: that is what the source document's demo shows. What must
not be lost is a delivery task (see plugins/fulfillment/tasks.py).
"""

import logging
from collections.abc import Iterable
from typing import Any

from . import tasks
from .signals import demo_enroll_in_course

logger = logging.getLogger(__name__)


def test_receiver(sender: Any, **values: Any) -> None:
    logger.info("test_receiver was called with this sender argument.", extra={"sender": sender})


def test_receiver_exception(sender: Any, **values: Any) -> None:
    """Fails on purpose: the other receiver and the sender must not notice."""
    logger.info("test_receiver_exception was called with this sender argument.", extra={"sender": sender})
    raise RuntimeError("This receiver fails on purpose.")


def test_celery_signal_task(sender: Any, **values: Any) -> None:
    tasks.log_test_signal.delay()


def demo_purchase_complete_order_history(order_number: str, user_id: int, **values: Any) -> None:
    tasks.note_order_history.delay(order_number=order_number, user_id=user_id)


def demo_purchase_complete_send_confirmation_email(order_number: str, user_id: int, **values: Any) -> None:
    tasks.send_confirmation_email.delay(order_number=order_number, user_id=user_id)


def demo_purchase_complete_enroll_in_course(
    order_number: str, user_id: int, products: Iterable[str], **values: Any
) -> None:
    """Say it once per product, so that each enrolment has a record, and a failure, of its own."""
    for product in products:
        demo_enroll_in_course.send_robust(
            sender=demo_purchase_complete_enroll_in_course,
            order_number=order_number,
            user_id=user_id,
            product=product,
        )


def demo_enroll_learner(order_number: str, user_id: int, product: str, **values: Any) -> None:
    tasks.enroll_in_course.delay(order_number=order_number, user_id=user_id, product=product)
