"""The LMS's rules, row by row; no database."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce_coordinator.plugins.demo_lms.stand_in.bodies import Refused
from commerce_coordinator.plugins.demo_lms.stand_in.rules import (
    Enrollment,
    Wish,
    decide,
    demand_privilege,
    is_course_key,
    read_wish,
)

from .conftest import COURSE, gently

ORDER = {"namespace": "order", "name": "order_number", "value": "EDX-1"}
OTHER_ORDER = {**ORDER, "value": "EDX-2"}
LINE = {"namespace": "order", "name": "line_item_id", "value": "EDX-1-1"}
PROVIDER = {"namespace": "credit", "name": "provider_id", "value": "asu"}

AUDIT = Enrollment(mode="audit", is_active=True)
AUDIT_LEFT = Enrollment(mode="audit", is_active=False)
VERIFIED = Enrollment(mode="verified", is_active=True, attributes=(ORDER,))
LEFT = Enrollment(mode="verified", is_active=False, attributes=(ORDER,))


def wish(**changes: Any) -> Wish:
    return Wish(**{"user": "ada", "course": COURSE, "mode": "verified", "is_active": True, **changes})


@pytest.mark.parametrize(
    ("current", "wished", "after"),
    [
        pytest.param(None, wish(attributes=(ORDER,)), VERIFIED, id="new: enrolled, attributes stored"),
        pytest.param(None, wish(mode=None, is_active=None), AUDIT, id="new, nothing said: active in audit"),
        pytest.param(None, wish(mode="audit", is_active=False), AUDIT_LEFT, id="new, but not active"),
        pytest.param(VERIFIED, wish(attributes=(OTHER_ORDER,)), VERIFIED, id="already in: attributes not stored"),
        pytest.param(VERIFIED, wish(mode=None, is_active=None), VERIFIED, id="already in, nothing said: no change"),
        pytest.param(AUDIT, wish(attributes=(ORDER,)), VERIFIED, id="upgraded: attributes stored"),
        pytest.param(VERIFIED, wish(is_active=False), LEFT, id="left, same mode"),
        pytest.param(VERIFIED, wish(mode=None, is_active=False), LEFT, id="left, no mode said"),
        pytest.param(LEFT, wish(), VERIFIED, id="reactivated, keeps its attributes"),
        pytest.param(LEFT, wish(is_active=None), VERIFIED, id="reactivated though it did not say so"),
        pytest.param(
            LEFT,
            wish(attributes=()),
            Enrollment(mode="verified", is_active=True),
            id="reactivated with an empty list: it takes the place of those that were there",
        ),
        pytest.param(
            Enrollment(mode="verified", is_active=True),
            wish(course=f"{COURSE}-expired", is_active=False),
            Enrollment(mode="verified", is_active=False),
            id="an expired mode may be left",
        ),
        pytest.param(
            None, wish(course=f"{COURSE}-expired", mode="audit"), AUDIT, id="an expired paid mode leaves the free one"
        ),
        pytest.param(LEFT, wish(is_active=False), LEFT, id="left already: fine"),
        pytest.param(
            LEFT,
            wish(attributes=(OTHER_ORDER, LINE)),
            Enrollment(mode="verified", is_active=True, attributes=(OTHER_ORDER, LINE)),
            id="reactivated: what is given takes the place of what was there",
        ),
        pytest.param(
            LEFT,
            wish(mode="audit", is_active=False),
            Enrollment(mode="audit", is_active=False, attributes=(ORDER,)),
            id="left already, other mode: the mode changes",
        ),
        pytest.param(
            None,
            wish(mode="credit", attributes=(PROVIDER,)),
            Enrollment(mode="credit", is_active=True, attributes=(PROVIDER,)),
            id="credit with its provider",
        ),
    ],
)
def test_enrolment_after_the_call(current: Enrollment | None, wished: Wish, after: Enrollment) -> None:
    assert decide(wished, current) == after


@pytest.mark.parametrize(
    ("current", "wished", "word"),
    [
        pytest.param(VERIFIED, wish(mode="audit", is_active=False), "Not deactivated", id="left, but in another mode"),
        pytest.param(None, wish(course="course-v1:DemoX+CS101+full"), "is full", id="a full course"),
        pytest.param(None, wish(course=f"{COURSE}-closed"), "is closed", id="a closed course"),
        pytest.param(None, wish(course=f"{COURSE}-missing"), "No course run", id="no such course"),
        pytest.param(None, wish(course=f"{COURSE}-expired"), "expired", id="an expired mode"),
        pytest.param(VERIFIED, wish(course=f"{COURSE}-expired"), "expired", id="already in, but the mode is expired"),
        pytest.param(None, wish(course=f"{COURSE}-professional"), "not to be had", id="a mode the course has not"),
        pytest.param(None, wish(mode="credit"), "credit:provider_id", id="credit without its provider"),
        pytest.param(AUDIT, wish(mode="credit"), "credit:provider_id", id="upgrade to credit without its provider"),
    ],
)
def test_what_cannot_be_is_a_400_that_says_why(current: Enrollment | None, wished: Wish, word: str) -> None:
    with pytest.raises(Refused, match=word) as caught:
        decide(wished, current)
    assert caught.value.status == 400


def test_an_embargo_is_a_403() -> None:
    with pytest.raises(Refused) as caught:
        decide(wish(course=f"{COURSE}-embargo"), None)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("caller", "is_staff", "wished", "status"),
    [
        ("worker", True, wish(), None),
        ("worker", False, wish(), 404),
        ("worker", False, wish(mode="audit"), 404),
        ("ada", False, wish(), 403),
        ("ada", False, wish(mode="audit"), None),
        ("ada", False, wish(mode=None), None),
    ],
)
def test_who_may_enrol_whom(caller: str, is_staff: bool, wished: Wish, status: int | None) -> None:
    try:
        demand_privilege(wished, caller=caller, is_staff=is_staff)
    except Refused as refused:
        assert refused.status == status
    else:
        assert status is None


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"user": None}, 400, "user"),
        ({"user": 7}, 400, "user"),
        ({"user": "unknown-ada"}, 406, "user"),
        ({"user": "two words"}, 406, "user"),
        ({"user": "a" * 151}, 406, "user"),
        ({"course_details": None}, 400, "course_details.course_id"),
        ({"course_details": COURSE}, 400, "course_details.course_id"),
        ({"course_details": {"course_id": ["a"]}}, 400, "course_details.course_id"),
        ({"course_details": {"course_id": "course-v1:DemoX+CS101"}}, 400, "course_details.course_id"),
        ({"mode": "gold"}, 400, "mode"),
        ({"mode": ["verified"]}, 400, "mode"),
        ({"is_active": "yes"}, 400, "is_active"),
        ({"is_active": 1}, 400, "is_active"),
        ({"email_opt_in": "yes"}, 400, "email_opt_in"),
        ({"enrollment_attributes": ORDER}, 400, "enrollment_attributes"),
        ({"enrollment_attributes": [{**ORDER, "value": 1}]}, 400, "enrollment_attributes"),
        ({"enrollment_attributes": [{"name": "a"}]}, 400, "enrollment_attributes"),
        ({"enrollment_attributes": ["a"]}, 400, "enrollment_attributes"),
    ],
)
def test_a_malformed_call_is_refused_naming_the_field(changes: dict[str, Any], status: int, field: str) -> None:
    body = {"user": "ada", "course_details": {"course_id": COURSE}, "mode": "verified", "is_active": True, **changes}
    with pytest.raises(Refused) as caught:
        read_wish(body)
    assert (caught.value.status, caught.value.field) == (status, field)


def test_a_well_formed_call_is_read_whole() -> None:
    body = {
        "user": "ada",
        "course_details": {"course_id": COURSE},
        "mode": "verified",
        "is_active": True,
        "enrollment_attributes": [ORDER],
        "email_opt_in": False,
    }
    assert read_wish(body) == wish(attributes=(ORDER,))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (COURSE, True),
        ("course-v1:Org.X+a_b-c~d+2026:x", True),
        ("course-v1:DemoX+CS101", False),
        ("course-v1:DemoX+CS101+2026+more", False),
        ("DemoX/CS101/2026", False),
        ("course-v1:DemoX+CS 101+2026", False),
        (f"{COURSE}\n", False),
        (f"course-v1:DemoX+CS101+{'2' * 255}", False),
        ("", False),
    ],
)
def test_course_keys_are_told_by_their_shape(text: str, good: bool) -> None:
    assert is_course_key(text) is good


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(["user", "course_details", "mode", "is_active", "enrollment_attributes", "email_opt_in"])


@gently
@given(st.dictionaries(_fields, _json | st.just({"course_id": COURSE}) | st.just("ada")))
def test_whatever_comes_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        assert isinstance(read_wish(body), Wish)
    except Refused as refused:
        assert refused.status in {400, 406}
