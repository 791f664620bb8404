from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who logs in here: an operator, a service, or a learner known to the LMS."""

    lms_user_id = models.BigIntegerField(
        null=True, blank=True, unique=True, help_text="The user's id on the LMS; NULL for users of this service only."
    )
