"""The demo's plain Celery tasks: what a worker does is one log line each."""

import logging

from celery import shared_task

logger = logging.getLogger(__name__)


@shared_task
def log_test_signal() -> None:
    logger.info("A worker runs the task that test_celery_signal started.")


@shared_task
def note_order_history(*, order_number: str, user_id: int) -> None:
    logger.info("The order would be written to the order history.", extra={"order": order_number, "person": user_id})


@shared_task
def send_confirmation_email(*, order_number: str, user_id: int) -> None:
    logger.info("The order would be confirmed by e-mail.", extra={"order": order_number, "person": user_id})


@shared_task
def enroll_in_course(*, order_number: str, user_id: int, product: str) -> None:
    logger.info("The learner would be enrolled.", extra={"order": order_number, "person": user_id, "product": product})
