"""Retention of what the API keeps."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from commerce_coordinator.core.chores import chore

from .models import IdempotencyKey


@chore(every=timedelta(hours=1))
def forget_old_keys() -> int:
    """Remove keys older than CC_RETENTION_DAYS; whoever sends again after that sends anew. Returns how many."""
    before = timezone.now() - timedelta(days=settings.CC_RETENTION_DAYS)
    return IdempotencyKey.objects.filter(created_at__lt=before).delete()[0]
