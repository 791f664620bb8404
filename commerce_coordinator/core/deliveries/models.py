"""The record of the flow: what was sent, who got it, how each try ended. Delivery rows are the outbox."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField
from commerce_coordinator.core.ids import uuid7


class Dispatch(models.Model):
    """One sending of one signal. Unique by (signal, dedupe key): sending again finds this row."""

    class Origin(models.TextChoices):
        WEB = "web"
        WORKER = "worker"
        COMMAND = "command"
        API = "api"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    signal = ExactCharField(max_length=255)
    dedupe_key = ExactCharField(max_length=255)
    payload = models.JSONField(
        null=True, encoder=DjangoJSONEncoder, help_text="NULL when it was no JSON (inline receivers only)."
    )
    sender = models.CharField(max_length=255, blank=True)
    subject = ExactCharField(max_length=128, blank=True, help_text="What it is about: an order number, as a rule.")
    person = ExactCharField(max_length=64, blank=True, help_text="Whom it is about: the LMS user id.")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    event = models.ForeignKey(
        "inbox.InboxEvent", null=True, on_delete=models.PROTECT, related_name="dispatches", db_index=False
    )
    parent = models.ForeignKey(
        "deliveries.Delivery", null=True, on_delete=models.PROTECT, related_name="sent", db_index=False
    )
    # No constraint: the attempt's row is written when it ends, after what it sent.
    attempt = models.ForeignKey(
        "deliveries.Attempt",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="sent",
        db_constraint=False,
        db_index=False,
    )
    unrouted = models.BooleanField(default=False, help_text="Nobody received it; shown with the dead letters.")
    map_hash = models.CharField(max_length=16, help_text="The map it was routed by.")
    trace_id = ExactCharField(max_length=32)
    span_id = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "dispatches"
        constraints = [
            models.UniqueConstraint(fields=["signal", "dedupe_key"], name="one_dispatch_per_dedupe_key"),
        ]
        indexes = [
            models.Index(fields=["event"], name="dispatch_by_event"),
            models.Index(fields=["parent"], name="dispatch_by_parent"),
            models.Index(fields=["subject"], name="dispatch_by_subject"),
            models.Index(fields=["person"], name="dispatch_by_person"),
            models.Index(fields=["trace_id"], name="dispatch_by_trace"),
            models.Index(fields=["unrouted", "id"], name="dispatch_by_unrouted"),
            models.Index(fields=["created_at"], name="dispatch_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.signal.rpartition('.')[2]} {self.subject}".strip()


class Delivery(models.Model):
    """One receiver's lifecycle for one dispatch."""

    class State(models.TextChoices):
        PENDING = "pending"  # due at next_attempt_at
        RUNNING = "running"  # leased until lease_until by the holder of claim_id
        SUCCEEDED = "succeeded"
        DEAD = "dead"  # gave up; waits for replay
        CANCELLED = "cancelled"  # by an operator's own act

    class Kind(models.TextChoices):
        INLINE = "inline"  # a plain function, run where the signal was sent
        TASK = "task"  # a delivery task, run by a worker

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    receiver = ExactCharField(max_length=255)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    generation = models.PositiveIntegerField(default=0, help_text="Raised by each replay.")
    attempts = models.PositiveIntegerField(default=0, help_text="Tries of this generation, counted when they begin.")
    idempotency_key = ExactCharField(max_length=64)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    wake_at = models.DateTimeField(
        null=True, help_text="When the relay looks at this row next. NULL: never, it is settled."
    )
    wakes = models.PositiveIntegerField(default=0, help_text="Times the relay published it since it last changed.")
    claim_id = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=128, blank=True)
    error_class = models.CharField(max_length=128, blank=True)
    error_text = models.TextField(blank=True, help_text="Private: may quote the far side's answer.")
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "receiver"], name="one_delivery_per_route"),
        ]
        indexes = [
            # The relay's only question. Settled rows hold NULL and stay out of its range.
            models.Index(fields=["wake_at"], name="delivery_by_wake"),
            # The operator's lists, newest first.
            models.Index(fields=["state", "id"], name="delivery_by_state"),
            models.Index(fields=["receiver", "id"], name="delivery_by_receiver"),
            models.Index(fields=["settled_at"], name="delivery_by_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.receiver.rpartition('.')[2]} ({self.state})"


class Attempt(models.Model):
    """One try of a delivery. Its id is the claim's, so that what it sent can point at it before it ends."""

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded"
        RETRY = "retry"  # failed; another follows
        DEAD = "dead"  # failed; no other follows
        LOST = "lost"  # its lease ran out; nobody knows how far it came

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempt_rows", db_index=False)
    generation = models.PositiveIntegerField()
    number = models.PositiveIntegerField(help_text="Counts from 1 within the generation.")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    worker = models.CharField(max_length=128, blank=True)
    error_class = models.CharField(max_length=128, blank=True)
    error_text = models.TextField(blank=True, help_text="Private: may quote the far side's answer.")
    calls = models.JSONField(
        default=list, encoder=DjangoJSONEncoder, help_text="What it called outside: method, URL, status, milliseconds."
    )
    span_id = models.CharField(max_length=16, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "generation", "number"], name="one_row_per_attempt"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} ({self.outcome})"


class OperatorAct(models.Model):
    """What a person did to a delivery, a dispatch or an event: who, when and why. One of the three is set."""

    class Kind(models.TextChoices):
        REPLAYED = (
            "replayed"  # run again under the same idempotency key; an event: read again; a dispatch: routed again
        )
        FORCED = "forced"  # a succeeded delivery, done a second time
        SET_ASIDE = "set aside"  # nothing more shall come of it

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.CASCADE, related_name="acts")
    dispatch = models.ForeignKey(Dispatch, null=True, on_delete=models.CASCADE, related_name="acts")
    event = models.ForeignKey("inbox.InboxEvent", null=True, on_delete=models.CASCADE, related_name="acts")
    generation = models.PositiveIntegerField(default=0, help_text="Of the delivery, after it.")
    who = models.CharField(max_length=150, blank=True, help_text="User name, or the system's account for a command.")
    origin = models.CharField(max_length=8, choices=Dispatch.Origin.choices)
    why = models.CharField(max_length=255, blank=True, help_text="In the person's own words; may be private.")
    acted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.kind} by {self.who or 'nobody named'}"


class Heartbeat(models.Model):
    """When a part of the service was last known to work: relays, workers (by the canary), chores."""

    name = ExactCharField(max_length=128, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
