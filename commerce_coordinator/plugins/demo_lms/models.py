"""What the stand-ins keep. The LMS: OAuth clients, what learners have, the calls it received, the faults it shall show.
The storefront: its orders. The payment providers: what was paid."""

import uuid

from django.contrib.auth.hashers import check_password, make_password
from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField

#: Characters. Of a user name: as in Django's own user table, which the LMS uses; of a course key: as in its tables.
LONGEST_USERNAME = 150
LONGEST_COURSE_KEY = 255


class StandInClient(models.Model):
    """An OAuth client that may ask for tokens."""

    client_id = ExactCharField(max_length=255, unique=True)
    secret_hash = models.CharField(max_length=255)

    def __str__(self) -> str:
        return self.client_id

    def set_secret(self, secret: str) -> None:
        self.secret_hash = make_password(secret)

    def has_secret(self, secret: str) -> bool:
        return check_password(secret, self.secret_hash)


class StandInEnrollment(models.Model):
    """One learner in one course. It stays when the learner leaves, as on the LMS."""

    user = ExactCharField(max_length=LONGEST_USERNAME)
    course = ExactCharField(max_length=LONGEST_COURSE_KEY, help_text="The course run's key.")
    mode = models.CharField(max_length=100)
    is_active = models.BooleanField()
    attributes = models.JSONField(default=list, help_text="[{namespace, name, value}], one per namespace and name.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "course"], name="one_stand_in_enrollment_each"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.course}"


class StandInEntitlement(models.Model):
    """A course that a learner may take, in whichever run. It stays when it has ended, as on the LMS."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    user = ExactCharField(max_length=LONGEST_USERNAME, db_index=True)
    course_uuid = models.UUIDField()
    mode = models.CharField(max_length=100)
    order_number = ExactCharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    expired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}: {self.course_uuid}"


class StandInAccount(models.Model):
    """A learner's account that was deactivated; of others nothing is kept."""

    user = ExactCharField(max_length=LONGEST_USERNAME, unique=True)
    deactivated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.user


class StandInMended(models.Model):
    """A learner or course run of which its name says what is no longer so: see stand_in/rules.py."""

    name = ExactCharField(max_length=LONGEST_COURSE_KEY, unique=True)

    def __str__(self) -> str:
        return self.name


class StandInCall(models.Model):
    """A call of one of the APIs as it was received. Written so that doubles can be counted."""

    method = models.CharField(max_length=8)
    path = models.CharField(max_length=255)
    user = ExactCharField(max_length=LONGEST_USERNAME, blank=True, help_text="Empty when the call named none.")
    course = ExactCharField(max_length=LONGEST_COURSE_KEY, blank=True, help_text="A run's key, or a course's UUID.")
    status = models.PositiveSmallIntegerField(null=True, help_text="NULL: not answered yet, or never.")
    changed = models.BooleanField(default=False, help_text="It changed what the learner has.")
    fault = models.CharField(max_length=64, blank=True, help_text="The fault that it was answered with.")
    idempotency_key = ExactCharField(max_length=255, blank=True, help_text="Kept and ignored, as the LMS does.")
    request_id = ExactCharField(max_length=255, blank=True)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["user", "course"], name="stand_in_call_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.status})"


class StandInFault(models.Model):
    """What the next `remaining` calls get instead of, or on top of, their answer."""

    class Target(models.TextChoices):
        ENROLLMENT = "enrollment"
        OAUTH2 = "oauth2"
        ENTITLEMENTS = "entitlements"
        ACCOUNTS = "accounts"

    class When(models.TextChoices):
        BEFORE = "before"  # the fault comes first; with a status, the call takes no effect
        AFTER = "after"  # the call takes effect, then comes the fault: a lost answer

    path = models.CharField(max_length=16, choices=Target.choices, default=Target.ENROLLMENT)
    method = models.CharField(max_length=8, blank=True, help_text="Only calls of this method; empty: of any.")
    when = models.CharField(max_length=8, choices=When.choices, default=When.BEFORE)
    status = models.PositiveSmallIntegerField(null=True, help_text="NULL: the true answer, only later.")
    delay = models.FloatField(default=0.0, help_text="Seconds.")
    html = models.BooleanField(default=False, help_text="The body is an HTML page, as a proxy in between sends.")
    retry_after = models.PositiveIntegerField(null=True, help_text="Seconds, for the header Retry-After.")
    lifetime = models.PositiveIntegerField(null=True, help_text="Seconds that the token lives which this call brings.")
    remaining = models.PositiveIntegerField(help_text="Calls that still get it.")

    def __str__(self) -> str:
        what = [str(self.status)] if self.status else []
        if self.delay:
            what.append(f"{self.delay:g} s")
        if self.lifetime:
            what.append(f"a token of {self.lifetime} s")
        return f"{self.when} {' and '.join(what)}"


class StorefrontOrder(models.Model):
    """What the demo's storefront sold, and to whom: its system of record."""

    order_number = ExactCharField(max_length=128, unique=True)
    username = ExactCharField(max_length=LONGEST_USERNAME)
    lms_user_id = models.BigIntegerField()
    courses = models.JSONField(help_text="The keys of the course runs.")
    mode = models.CharField(max_length=100, default="verified")
    ordered_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.order_number


class StandInPayment(models.Model):
    """A payment at a stand-in of a provider, in the provider's own words."""

    provider = models.CharField(max_length=16)
    key = ExactCharField(max_length=64, help_text="The PaymentIntent's id, or that of PayPal's order.")
    order_number = ExactCharField(max_length=128, db_index=True, help_text="Of the storefront.")
    document = models.JSONField(help_text="What the provider would keep: see providers/.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="one_stand_in_payment_each"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.key}"
