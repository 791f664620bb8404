"""Commerce Coordinator: a broker between the systems that sell and the systems that deliver."""

# Celery's app must exist before any shared_task is used, in every process.
from .celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
