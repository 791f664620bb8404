"""What the LMS does with an enrolment call, decided without a database.

Source: the table "What we call on the LMS" of the contracts, and edx-platform's enrolment view. Conventions of its own:
    a user name that begins with `unknown` is a learner whom the LMS does not know;
    a client id that begins with `unprivileged` is no staff (tokens.py);
    what a course run is like, its key's last letters say (ENDINGS).
What was mended since (mended.py) is otherwise than its name says.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..models import LONGEST_COURSE_KEY, LONGEST_USERNAME
from .bodies import Refused

_USERNAME = re.compile(r"[\w.@+-]+")
_COURSE_KEY = re.compile(r"course-v1:[\w.~-]+\+[\w.~-]+\+[\w.~:-]+")

MODES = frozenset({"audit", "honor", "verified", "professional", "no-id-professional", "credit", "masters"})
DEFAULT_MODE = "audit"
#: mode -> (namespace, name) of the attributes it cannot be had without
REQUIRED_ATTRIBUTES = {"credit": frozenset({("credit", "provider_id")})}

FREE_MODES = frozenset({"audit", "honor"})

Attributes = Sequence[Mapping[str, str]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What a course run is like. modes: those that can be had now."""

    modes: frozenset[str] = MODES
    exists: bool = True
    is_full: bool = False
    is_closed: bool = False
    is_embargoed: bool = False


#: The end of a course run's key -> what the run is like; any other has every mode and room for all.
ENDINGS: Mapping[str, Run] = {
    "full": Run(is_full=True),
    "closed": Run(is_closed=True),
    "missing": Run(exists=False),
    "embargo": Run(is_embargoed=True),
    "expired": Run(modes=FREE_MODES),
    "professional": Run(modes=frozenset({"professional", "no-id-professional"})),
}


def run_of(course: str) -> Run:
    return next((run for ending, run in ENDINGS.items() if course.endswith(ending)), Run())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wish:
    """An enrolment call that is well formed. None: the call did not say."""

    user: str
    course: str
    mode: str | None = None
    is_active: bool | None = None
    attributes: Attributes | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Enrollment:
    """How an enrolment stands."""

    mode: str
    is_active: bool
    attributes: Attributes = ()


def is_username(text: str) -> bool:
    """Whether a learner could have this name."""
    return len(text) <= LONGEST_USERNAME and bool(_USERNAME.fullmatch(text))


def is_known(username: str) -> bool:
    """Whether the LMS has such a learner."""
    return is_username(username) and not username.startswith("unknown")


def is_course_key(text: str) -> bool:
    """Whether it has the shape `course-v1:org+course+run`."""
    return len(text) <= LONGEST_COURSE_KEY and bool(_COURSE_KEY.fullmatch(text))


def read_wish(body: Mapping[str, Any], *, is_known: Callable[[str], bool] = is_known) -> Wish:
    """The body of a POST, checked in the LMS's order. Raises Refused with its status and message."""
    user = body.get("user")
    if not isinstance(user, str) or not user:
        raise Refused("The field user must name a learner.", field="user")
    course = _course_of(body)
    if not is_known(user):
        raise Refused(f"The user {user} does not exist.", status=406, field="user")
    is_active, mode = body.get("is_active"), body.get("mode")
    if is_active is not None and not isinstance(is_active, bool):
        raise Refused("The field is_active must be true or false.", field="is_active")
    if not isinstance(body.get("email_opt_in"), bool | None):
        raise Refused("The field email_opt_in must be true or false.", field="email_opt_in")
    attributes = _attributes_of(body)
    if mode is not None and (not isinstance(mode, str) or mode not in MODES):
        raise Refused(f"The mode [{mode}] is expired or not to be had for the course run [{course}].", field="mode")
    return Wish(user=user, course=course, mode=mode, is_active=is_active, attributes=attributes)


def decide(wish: Wish, current: Enrollment | None, *, run: Run | None = None) -> Enrollment:
    """How the enrolment stands after the call; equal to `current` when nothing changes. Raises Refused."""
    run = run or run_of(wish.course)
    if run.is_embargoed:
        raise Refused(f"Nobody from this location may take the course run [{wish.course}].", status=403)
    if not run.exists:
        raise Refused(f"No course run '{wish.course}' was found to enrol in.", field="course_details.course_id")
    mode_changes = current is not None and wish.mode is not None and wish.mode != current.mode
    activity_changes = current is not None and wish.is_active is not None and wish.is_active != current.is_active
    if current is not None and (mode_changes or activity_changes):
        if mode_changes and activity_changes and not wish.is_active:
            raise Refused(
                f"Not deactivated: the enrolment's mode is {current.mode}, the call's is {wish.mode}.", field="mode"
            )
        mode = wish.mode or current.mode
        is_active = current.is_active if wish.is_active is None else wish.is_active
    elif current is not None and current.is_active:
        # Already in, in this mode: answered 200, and the attributes are not stored. The mode is looked at all the same.
        _demand_mode(run, current.mode, True, wish)
        return current
    else:
        if run.is_full or run.is_closed:
            what = "full" if run.is_full else "closed for enrolment"
            raise Refused(f"The course run [{wish.course}] is {what}.", field="course_details.course_id")
        mode = wish.mode or DEFAULT_MODE
        is_active = wish.is_active is not False
    _demand_mode(run, mode, is_active, wish)
    _demand_attributes(mode, is_active, wish)
    kept = current.attributes if current else ()
    # Given ones take the place of all that were there.
    return Enrollment(
        mode=mode, is_active=is_active, attributes=kept if wish.attributes is None else tuple(wish.attributes)
    )


def demand_privilege(wish: Wish, *, caller: str, is_staff: bool) -> None:
    """Who is no staff may enrol himself only, and in no paid mode. Raises Refused with 404 or 403, as the LMS."""
    if is_staff:
        return
    if wish.user != caller:
        # Not 403: that would tell who is there.
        raise Refused("Not found.", status=404)
    if wish.mode is not None and wish.mode not in FREE_MODES:
        raise Refused(f"The caller may not enrol in the mode [{wish.mode}].", status=403, field="mode")


def _course_of(body: Mapping[str, Any]) -> str:
    details = body.get("course_details")
    course = details.get("course_id") if isinstance(details, dict) else None
    if not isinstance(course, str) or not course:
        raise Refused("course_details.course_id must name a course run.", field="course_details.course_id")
    if not is_course_key(course):
        raise Refused(f"No course run '{course}' was found to enrol in.", field="course_details.course_id")
    return course


def _attributes_of(body: Mapping[str, Any]) -> Attributes | None:
    given = body.get("enrollment_attributes")
    if given is None:
        return None
    keys = {"namespace", "name", "value"}
    shaped = isinstance(given, list) and all(
        isinstance(each, dict) and each.keys() == keys and all(isinstance(each[key], str) for key in keys)
        for each in given
    )
    if not shaped:
        raise Refused(
            "The field enrollment_attributes must be a list of {namespace, name, value}, all of them texts.",
            field="enrollment_attributes",
        )
    return tuple(given)


def _demand_mode(run: Run, mode: str, is_active: bool, wish: Wish) -> None:
    """Who leaves may leave an expired mode, too."""
    if is_active and mode not in run.modes:
        raise Refused(
            f"The mode [{mode}] is expired or not to be had for the course run [{wish.course}].", field="mode"
        )


def _demand_attributes(mode: str, is_active: bool, wish: Wish) -> None:
    given = {(each["namespace"], each["name"]) for each in wish.attributes or ()}
    missing = REQUIRED_ATTRIBUTES.get(mode, frozenset()) - given
    if is_active and missing:
        names = ", ".join(sorted(":".join(pair) for pair in missing))
        raise Refused(f"The mode {mode} cannot be had without the attributes {names}.", field="enrollment_attributes")
