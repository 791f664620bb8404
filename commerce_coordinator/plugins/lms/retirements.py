"""The LMS retires a learner: erased here, then told to the plugins."""

from typing import Any

from django.db import transaction

from commerce_coordinator.core.deliveries import inline
from commerce_coordinator.core.retirement import engine

from .signals import user_retired


def retire(sender: Any, lms_user_id: int) -> None:
    """Erase what is found at once and send `user_retired`. Again: what came since is erased, and nothing is sent."""
    retirement = engine.begin(lms_user_id)
    if retirement.told is not None:
        return
    with transaction.atomic():
        recorded = user_retired.record(sender, {"lms_user_id": lms_user_id})
        engine.tell(retirement, recorded.dispatch.pk)
    inline.run(recorded)
