"""What later refunds need: which payment paid for which order, what it gave, and what went back.

Retention leaves these rows alone. They name no more of the learner than a refund needs, and retirement blanks that.
"""

from typing import Any

from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField
from commerce_coordinator.payloads.money import Money
from commerce_coordinator.payloads.orders import OrderLine


class Payment(models.Model):
    """One payment of one of our accounts at a provider. A refund may be told of before the payment itself."""

    provider = ExactCharField(max_length=32)
    account = ExactCharField(max_length=64, blank=True)
    payment_id = ExactCharField(max_length=255)
    order_number = ExactCharField(max_length=128, blank=True, help_text="Empty until its capture was told of.")
    placed_order = ExactCharField(
        max_length=128, null=True, help_text="The order number while this payment stands for it: one payment at a time."
    )
    amount = models.BigIntegerField(null=True, help_text="Captured, in ISO minor units. NULL: not told of yet.")
    currency = ExactCharField(max_length=3, blank=True)
    lms_user_id = models.BigIntegerField(null=True, help_text="NULL when the learner has retired.")
    username = models.CharField(max_length=500, blank=True, help_text="Private. Blanked when the learner retires.")
    email = models.CharField(max_length=500, blank=True, help_text="Private. Blanked when the learner retires.")
    named_lines = models.JSONField(default=list, help_text="The lines that the payment itself named, if any.")
    lines = models.JSONField(default=list, help_text="The order's lines, once it is placed.")
    taken_back = models.JSONField(default=list, help_text="Numbers of the lines that were refunded.")
    kept_at = models.DateTimeField(default=timezone.now, help_text="When we first heard of it.")
    placed_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    held_because = models.CharField(max_length=255, blank=True)
    refunded_at = models.DateTimeField(null=True, help_text="When the whole of it had gone back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "account", "payment_id"], name="one_row_per_payment"),
            # NULLs are no doubles, on any database.
            models.UniqueConstraint(fields=["placed_order"], name="one_payment_per_placed_order"),
        ]
        indexes = [
            models.Index(fields=["order_number"], name="payment_by_order"),
            models.Index(fields=["lms_user_id"], name="payment_by_learner"),
            models.Index(fields=["payment_id"], name="payment_by_payment_id"),  # whoever searches knows no account
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.payment_id}"

    @property
    def money(self) -> Money | None:
        """What was captured; None while nobody told of it."""
        return None if self.amount is None else Money(amount=self.amount, currency=self.currency)

    @property
    def reference(self) -> dict[str, str]:
        """How the provider's own task finds it."""
        return {"provider": self.provider, "account": self.account, "payment_id": self.payment_id}

    @property
    def order_lines(self) -> tuple[OrderLine, ...]:
        return _read(self.lines)

    @property
    def lines_by_payment(self) -> tuple[OrderLine, ...]:
        return _read(self.named_lines)

    @property
    def given(self) -> tuple[OrderLine, ...]:
        """The lines that the learner has by this payment and may keep."""
        if self.placed_order is None:
            return ()
        return tuple(line for line in self.order_lines if line.line_number not in self.taken_back)

    def keep_lines(self, lines: tuple[OrderLine, ...]) -> None:
        self.lines = [line.model_dump(mode="json") for line in lines]


def _read(lines: list[dict[str, Any]]) -> tuple[OrderLine, ...]:
    return tuple(OrderLine.model_validate(line, extra="ignore") for line in lines)


class Refund(models.Model):
    """Money that went back, once per refund id, and what followed from it. A lost dispute is one, too."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds", db_index=False)
    refund_id = ExactCharField(max_length=255)
    refund_request_id = ExactCharField(
        max_length=255, blank=True, help_text="Ours; empty: by the provider's dashboard."
    )
    amount = models.BigIntegerField(help_text="Of this refund alone, in ISO minor units.")
    currency = ExactCharField(max_length=3)
    refunded_at = models.DateTimeField(null=True, help_text="NULL: it failed before it was told of as done.")
    is_dispute = models.BooleanField(default=False, help_text="A dispute that was lost.")
    counts = models.BooleanField(default=True, help_text="False: refunds of their own tell of the same money.")
    failed_at = models.DateTimeField(null=True, help_text="When it failed: the money is with us again.")
    gave_back = models.JSONField(default=list, help_text="Numbers of the lines whose access returns as it failed.")
    undone_at = models.DateTimeField(null=True, help_text="When all that follows from its failure was sent.")
    kept_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, help_text="When it was decided what follows. NULL: no capture yet.")
    whole = models.BooleanField(default=False, help_text="With it the whole of the payment had gone back.")
    took_back = models.JSONField(default=list, help_text="Numbers of the lines whose access goes because of it.")
    attention = models.CharField(max_length=255, blank=True, help_text="Why somebody must look.")
    sent_at = models.DateTimeField(null=True, help_text="When all that follows was sent.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "refund_id"], name="one_row_per_refund"),
        ]

    def __str__(self) -> str:
        return self.refund_id

    @property
    def money(self) -> Money:
        return Money(amount=self.amount, currency=self.currency)

    @property
    def stands(self) -> bool:
        """Whether its money is with the buyer, as far as was told."""
        return self.failed_at is None

    def settle(self, **decided: Any) -> None:
        """Note what follows from it."""
        self.settled_at = timezone.now()
        for name, value in decided.items():
            setattr(self, name, value)
