"""Redirects to where a filter's answer points."""

import logging
from typing import Any

from django.http import HttpResponse

from commerce_coordinator.core.exceptions import GiveUp, Retry
from commerce_coordinator.core.filters import CoordinatorFilter
from commerce_coordinator.core.rest.errors import Unavailable

from .addresses import is_safe

logger = logging.getLogger(__name__)


def redirect_by(question: type[CoordinatorFilter], **asked: Any) -> HttpResponse:
    """303 to the `redirect_url` that the question's steps answer. Raises Unavailable without a good one."""
    url = answer_of(question, **asked).get("redirect_url")
    if not is_safe(url):
        logger.error(
            "No step answered with an http or https address to redirect to." if url else "No step answered.",
            extra={"filter": question.filter_type},
        )
        raise Unavailable()
    return HttpResponse(status=303, headers={"Location": url})


def answer_of(question: type[CoordinatorFilter], **asked: Any) -> dict[str, Any]:
    """The filter's answer. Raises Unavailable when a source is away or refuses us."""
    try:
        return question.ask(**asked)
    except (Retry, GiveUp) as error:
        logger.warning(
            "A step could not answer.", extra={"filter": question.filter_type, "error_class": type(error).__name__}
        )
        raise Unavailable() from error
