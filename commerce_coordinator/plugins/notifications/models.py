"""No rows: a mail is kept nowhere. What is here gives the permission to see the preview a place to hang on."""

from django.db import models


class MailPreview(models.Model):
    """No table. By it the admin lists the preview, and grants "Can view e-mail"."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "e-mail"

    def __str__(self) -> str:
        return "e-mail"
