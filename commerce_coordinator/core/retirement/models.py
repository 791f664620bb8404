from django.db import models
from django.utils import timezone


class Retirement(models.Model):
    """A learner who retires, while something of him may still be found. Then this row goes too."""

    lms_user_id = models.BigIntegerField(unique=True)
    names = models.JSONField(default=list, help_text="Private. What he was known by here, to search for.")
    places = models.JSONField(default=dict, help_text="Room -> how far it was searched; null: to its end.")
    told = models.UUIDField(null=True, help_text="The dispatch that told the plugins. It holds his id until they know.")
    requested_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"retirement {self.pk}"
