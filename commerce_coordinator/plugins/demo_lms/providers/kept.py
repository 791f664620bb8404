"""The payments that the stand-ins keep, one at a time."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from ..models import StandInPayment


def keep(provider: str, key: str, order_number: str, document: dict[str, Any]) -> None:
    StandInPayment.objects.create(provider=provider, key=key, order_number=order_number, document=document)


def read(provider: str, key: str) -> dict[str, Any] | None:
    """None where there is no such payment."""
    row = StandInPayment.objects.filter(provider=provider, key=key).first()
    return None if row is None else row.document


@contextlib.contextmanager
def changing(provider: str, key: str) -> Iterator[dict[str, Any] | None]:
    """Its document, kept again at the end; nobody else changes it meanwhile. None where there is no such payment."""
    with transaction.atomic():
        row = StandInPayment.objects.select_for_update().filter(provider=provider, key=key).first()
        yield None if row is None else row.document
        if row is not None:
            row.save(update_fields=["document"])
