"""Orders: what was bought, line by line."""

from typing import Annotated

from pydantic import Field, StringConstraints

from .base import Payload, PrivateText
from .money import Money

CourseKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S+$")]
EnrollmentMode = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9-]+$")]
OrderNumber = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]


class OrderLine(Payload):
    """One thing bought: a course run in an enrolment mode. `line_number` counts from 1 within the order."""

    line_number: Annotated[int, Field(ge=1)]
    course_key: CourseKey
    mode: EnrollmentMode


class OrderPlaced(Payload):
    """A payment became an order. One per payment."""

    order_number: OrderNumber
    provider: str
    account: str
    payment_id: str
    money: Money
    lms_user_id: int
    username: PrivateText
    email: PrivateText
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1)]
