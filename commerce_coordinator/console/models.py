"""The console keeps no rows. What is here gives the rights of operators a place to hang on."""

from django.db import models


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
