"""Commerce Coordinator: a broker between the systems that sell and the systems that deliver."""

__version__ = "0.1.0"  # before Celery's app, whose settings tell it

# Celery's app must exist before any shared_task is used, in every process.
from .celery import app as celery_app

__all__ = ["celery_app"]
