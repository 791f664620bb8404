import requests
from celery import shared_task
from django.conf import settings


@shared_task
def deliver(delivery_id):
    """The bare task that deliveries per second are compared with: one HTTP call, no row, no promise."""
    requests.get(f"{settings.LMS_URL}/{delivery_id}", timeout=10).raise_for_status()
