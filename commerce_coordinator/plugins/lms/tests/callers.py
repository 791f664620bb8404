"""Who calls: what each of them sends along, and which of them may do what."""

from typing import Any

from commerce_coordinator.core.rest.testing import as_user

LEARNER = {"username": "ann", "lms_user_id": 84213577}


def headers_of(caller: str) -> dict[str, str]:
    """Of one of CALLERS."""
    return CALLERS[caller]()


#: A superuser of the LMS without the staff flag is no staff here, and a restricted application is nobody's staff.
CALLERS: dict[str, Any] = {
    "anonymous": dict,
    "learner": lambda: as_user(**LEARNER),
    "superuser claim": lambda: as_user(**LEARNER, superuser=True),
    "staff": lambda: as_user("lms_worker", lms_user_id=7, staff=True),
    "restricted staff": lambda: as_user("lms_worker", lms_user_id=7, staff=True, is_restricted=True),
    "run-out staff": lambda: as_user("lms_worker", lms_user_id=7, staff=True, exp=1),
}

MAY_NOT = {
    "learner": 403,
    "superuser claim": 403,
    "restricted staff": 403,
    "run-out staff": 401,
}
