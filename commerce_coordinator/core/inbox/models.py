"""The inbox: what providers sent us. One row per (provider, account, event id), for ever."""

from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField
from commerce_coordinator.core.ids import uuid7


class InboxEvent(models.Model):
    """One event of a provider. Its id outlives its body, so that a late duplicate is still known."""

    class State(models.TextChoices):
        SENT = "sent"  # a signal was sent because of it
        IGNORED = "ignored"  # true, but none of our business
        FAILED = "failed"  # ours, but no signal could be made of it; waits for a fix and a replay

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = ExactCharField(max_length=32)
    account = ExactCharField(
        max_length=64, blank=True, help_text="Which of our accounts at the provider; may be empty."
    )
    event_id = ExactCharField(max_length=255)
    event_type = models.CharField(max_length=128)
    state = models.CharField(max_length=16, choices=State.choices)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it was ignored or failed; names no values.")
    raw_body = models.BinaryField(
        null=True, help_text="The bytes as they came (private). NULL once retention has emptied them."
    )
    body_kept = models.BooleanField(default=True, help_text="False once retention has emptied the body.")
    trace_id = ExactCharField(max_length=32)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "event"
        constraints = [
            models.UniqueConstraint(fields=["provider", "account", "event_id"], name="one_row_per_event"),
        ]
        indexes = [
            # The trace's search; the list of failed ones, newest first; retention's chore.
            models.Index(fields=["event_id"], name="event_by_event_id"),
            models.Index(fields=["trace_id"], name="event_by_trace"),
            models.Index(fields=["state", "id"], name="event_by_state"),
            models.Index(fields=["body_kept", "received_at"], name="event_by_body"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_type} {self.event_id}"


class WebhookRefusal(models.Model):
    """How often one provider's webhook was refused with one code, in ten minutes. Counts alone: see refusals.py."""

    provider = ExactCharField(max_length=32)
    code = ExactCharField(max_length=64)
    since = models.DateTimeField(help_text="When its ten minutes began.")
    times = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(help_text="When it was last added to.")

    class Meta:
        verbose_name = "refused webhook"
        constraints = [
            models.UniqueConstraint(fields=["provider", "code", "since"], name="one_count_per_ten_minutes"),
        ]
        indexes = [
            # The last hour, and retention.
            models.Index(fields=["last_at"], name="refusal_by_last_at"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.code}"
