"""Certificates of PayPal's that were proved to be so: they survive restarts, and PayPal is not asked for each event."""

from django.db import models
from django.utils import timezone

from commerce_coordinator.core.fields import ExactCharField


class PayPalCertificate(models.Model):
    """What PayPal's server answered for one address. Only chains that were verified are kept."""

    url = ExactCharField(max_length=255, unique=True)
    pem = models.TextField(help_text="The certificate and its intermediates, as they came.")
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "PayPal certificate"

    def __str__(self) -> str:
        return self.url
