"""A history is kept for a minute, or until something is sent about its buyer.

The key holds the newest dispatch about the buyer. So whatever a worker sends of an order makes another key in every web
process, whichever cache that process has; nothing must be deleted anywhere, and no cache must be shared.
"""

import logging
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Count, Max
from django.utils.crypto import salted_hmac
from pydantic import BaseModel, ValidationError

from commerce_coordinator.core.deliveries.models import Dispatch

logger = logging.getLogger(__name__)

SECONDS = 60
#: A source that is away is asked again soon, but not by each click: whoever waits for it holds a thread.
SECONDS_WITH_GAPS = 5

_Model = TypeVar("_Model", bound=BaseModel)


def key_of(username: str, lms_user_id: int | None) -> str:
    """Holds no name: whoever can list a cache's keys learns nothing from it."""
    who = salted_hmac("order_history", f"{lms_user_id}:{username}", algorithm="sha256").hexdigest()
    return f"order_history.v1.{who}.{_latest_about(lms_user_id)}"


def _latest_about(lms_user_id: int | None) -> str:
    """Changes with each dispatch about this person. One statement, by the index of persons.

    The count stands beside the newest id since dispatches may be committed in another order than their ids were made.
    """
    if lms_user_id is None:
        return ""
    found = Dispatch.objects.filter(person=str(lms_user_id)).aggregate(count=Count("pk"), newest=Max("pk"))
    return f"{found['count']}.{found['newest']}"


def read(key: str, model: type[_Model]) -> _Model | None:
    """What is kept, or None. A cache that is broken, or holds something else, is as good as an empty one."""
    try:
        text = cache.get(key)
    except Exception as error:  # each back end has its own
        _tell(error)
        return None
    if text is None:
        return None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        _tell(error)
        return None


def write(key: str, value: BaseModel, *, seconds: int) -> None:
    """Keep it for so long. As text: another version of this code may read it."""
    try:
        cache.set(key, value.model_dump_json(), seconds)
    except Exception as error:  # each back end has its own
        _tell(error)


def _tell(error: Exception) -> None:
    logger.warning("The cache of order histories does not work.", extra={"error_class": type(error).__name__})
