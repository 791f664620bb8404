"""Orders: what was bought, line by line."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from .base import Payload, PrivateText
from .money import Money

CourseKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S+$")]
EnrollmentMode = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9-]+$")]
#: A course, whichever of its runs: what an entitlement is for. As the LMS's catalogue writes it (RFC 9562).
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
CourseUuid = Annotated[str, StringConstraints(pattern=rf"^{_UUID}$")]
#: Of these two, a line has one; the other is empty.
CourseKeyOrNone = Annotated[str, StringConstraints(max_length=255, pattern=r"^\S*$")]
CourseUuidOrNone = Annotated[str, StringConstraints(pattern=rf"^({_UUID})?$")]
OrderNumber = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]


class OrderLine(Payload):
    """One thing bought: a course run (`course_key`) or a course as an entitlement (`course_uuid`), in a mode.

    line_number: counts from 1 within the order. title: for people, empty when the source knows none.
    credit_provider: only for the mode "credit". price: what was paid for it; None where the source does not know.
    """

    line_number: Annotated[int, Field(ge=1)]
    course_key: CourseKeyOrNone = ""
    course_uuid: CourseUuidOrNone = ""
    mode: EnrollmentMode
    title: str = ""
    credit_provider: str = ""
    price: Money | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if bool(self.course_key) == bool(self.course_uuid):
            raise ValueError("A line has a course_key or a course_uuid, and not both.")
        return self


class OrderDetails(Payload):
    """What a system of record knows of an order. `owed` is None where the source does not know the price.

    The buyer's id, name and address: where the source knows them; for payments that name none themselves.
    """

    order_number: OrderNumber
    owed: Money | None = None
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1)]
    source: str
    lms_user_id: int | None = None
    username: PrivateText = ""
    email: PrivateText = ""


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


class OrderHeld(Payload):
    """A payment came, and no order was placed of it: somebody must look. `reason` is a sentence without values."""

    order_number: OrderNumber
    provider: str
    account: str
    payment_id: str
    money: Money
    owed: Money | None = None
    reason: str
    lms_user_id: int | None = None
