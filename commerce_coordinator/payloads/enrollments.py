"""Enrolments and entitlements: which learner is to be let into which course, or out of it, and how it ended."""

from .base import Payload, PrivateText
from .orders import CourseKey, CourseKeyOrNone, CourseUuid, CourseUuidOrNone, EnrollmentMode, OrderNumber


class EnrollmentRequested(Payload):
    """One line of an order is to become an enrolment on the LMS. `credit_provider` only for the mode "credit"."""

    order_number: OrderNumber
    line_number: int
    lms_user_id: int
    username: PrivateText
    course_key: CourseKey
    mode: EnrollmentMode
    credit_provider: str = ""


class EntitlementRequested(Payload):
    """One line of an order is to become an entitlement: a course, whichever run the learner will choose."""

    order_number: OrderNumber
    line_number: int
    lms_user_id: int
    username: PrivateText
    course_uuid: CourseUuid
    mode: EnrollmentMode


class RevocationRequested(Payload):
    """One line of an order is to be taken back: its enrolment (course_key) or its entitlement (course_uuid)."""

    order_number: OrderNumber
    line_number: int
    lms_user_id: int
    username: PrivateText
    course_key: CourseKeyOrNone = ""
    course_uuid: CourseUuidOrNone = ""
    mode: EnrollmentMode


class LearnerEnrolled(Payload):
    """The LMS lets the learner in, in this mode; he may have been in already.

    Whether it took a call is not told: a second try would tell otherwise than the first, and so tell twice.
    """

    order_number: str = ""
    line_number: int = 0
    lms_user_id: int | None = None
    username: PrivateText
    course_key: CourseKey
    mode: EnrollmentMode


class LearnerUnenrolled(Payload):
    """The learner is out of the course; he may have been out already."""

    order_number: str = ""
    line_number: int = 0
    lms_user_id: int | None = None
    username: PrivateText
    course_key: CourseKey
    mode: EnrollmentMode


class EntitlementGranted(Payload):
    """The learner holds an entitlement. `entitlement_uuid`: the LMS's own id of it."""

    order_number: str = ""
    line_number: int = 0
    lms_user_id: int | None = None
    username: PrivateText
    course_uuid: CourseUuid
    entitlement_uuid: str
    mode: EnrollmentMode


class EntitlementRevoked(Payload):
    """The learner's entitlement is gone; there may have been none."""

    order_number: str = ""
    line_number: int = 0
    lms_user_id: int | None = None
    username: PrivateText
    course_uuid: CourseUuid
    mode: EnrollmentMode


class EnrollmentRefused(Payload):
    """The LMS will not let the learner in, whatever is tried: somebody must look. `reason`: the LMS's own text."""

    order_number: str = ""
    line_number: int = 0
    lms_user_id: int | None = None
    username: PrivateText
    course_key: str = ""
    course_uuid: str = ""
    mode: EnrollmentMode
    reason: PrivateText


class EnrollmentOrderedByService(Payload):
    """A service wants a learner enrolled, without a payment. `order_number`: made here, SVC-...; it has one line."""

    order_number: OrderNumber
    line_number: int = 1
    lms_user_id: int | None = None
    username: PrivateText
    course_key: CourseKey
    mode: EnrollmentMode
    credit_provider: str = ""
