"""Log-in through the LMS: the steps of social-auth's pipeline that are ours."""

import logging
from collections.abc import Mapping
from typing import Any

from edx_rest_framework_extensions.settings import get_setting
from social_core.exceptions import AuthPolicyError

from .linking import Refused, account_of, person_of

logger = logging.getLogger(__name__)


def account(backend: Any, uid: str, response: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
    """The account of the person whose claims the LMS gave, by the rules of JWTs. Raises AuthPolicyError.

    The claims came from the LMS itself, over our own connection to its token endpoint.
    """
    try:
        user = account_of(person_of(response, get_setting("JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING")))
    except Refused as refused:
        logger.warning("A log-in through the LMS was refused.", extra={"reason": str(refused)})
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline") from None
    social = backend.strategy.storage.user.get_social_auth(backend.name, uid)
    if social is not None and social.user_id != user.pk:
        logger.warning("A log-in through the LMS was refused.", extra={"reason": "This name is another account's."})
        raise AuthPolicyError(backend, code="authentication_disallowed", stage="pipeline")
    return {"user": user, "social": social, "is_new": False, "new_association": social is None}
