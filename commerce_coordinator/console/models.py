"""The rights of operators, which need a place to hang on; and the keys of what was sent over the API."""

from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField


class OperatorRights(models.Model):
    """No table: Django grants permissions by model, and these belong to none of the four."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_private", "May see private values"),
            ("replay", "May replay deliveries and events"),
        ]
        verbose_name = "operator's right"

    def __str__(self) -> str:
        return "operator's rights"


class IdempotencyKey(models.Model):
    """One Idempotency-Key of one account and signal, and what was sent by it. Digests only: both may hold anything."""

    key = ExactCharField(max_length=64, primary_key=True)
    payload = models.CharField(max_length=64)
    # No foreign key: retention removes dispatches without looking here.
    dispatch_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()  # nobody looks at digests

    def __str__(self) -> str:
        return self.key[:8]
