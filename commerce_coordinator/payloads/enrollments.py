"""Enrolments: which learner is to be let into which course."""

from .base import Payload, PrivateText
from .orders import CourseKey, EnrollmentMode, OrderNumber


class EnrollmentRequested(Payload):
    """One line of an order is to become an enrolment on the LMS."""

    order_number: OrderNumber
    line_number: int
    lms_user_id: int
    username: PrivateText
    course_key: CourseKey
    mode: EnrollmentMode
