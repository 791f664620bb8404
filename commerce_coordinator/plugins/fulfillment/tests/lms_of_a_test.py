"""Stands for the plugin that acts on the LMS: it lets in, puts out, and tells of the former. `access` is who is in."""

from typing import Any

from commerce_coordinator.core.deliveries import contracts
from commerce_coordinator.core.deliveries.tasks import delivery_task
from commerce_coordinator.core.signals.signal import CoordinatorSignal
from commerce_coordinator.core.testing import routes_as
from commerce_coordinator.payloads.enrollments import EntitlementGranted, LearnerEnrolled

from .purchases import TASKS

enrolled = CoordinatorSignal(LearnerEnrolled, subject="order_number", name=f"{__name__}.enrolled")
granted = CoordinatorSignal(EntitlementGranted, subject="order_number", name=f"{__name__}.granted")

#: Courses that the one learner of a test is in.
access: set[str] = set()


def routed_back() -> Any:
    """What was let in is told to fulfilment."""
    contracts.remember(enrolled.name, LearnerEnrolled)
    contracts.remember(granted.name, EntitlementGranted)
    return routes_as(
        {
            enrolled.name: [f"{TASKS}.take_back_late_enrollment"],
            granted.name: [f"{TASKS}.take_back_late_entitlement"],
        }
    )


@delivery_task(sends=[enrolled])
def enroll(*, order_number: str, line_number: int, username: str, course_key: str, mode: str) -> None:
    access.add(course_key)
    enrolled.send_robust(
        sender=enroll,
        order_number=order_number,
        line_number=line_number,
        username=username,
        course_key=course_key,
        mode=mode,
    )


@delivery_task(sends=[granted])
def grant(*, order_number: str, line_number: int, username: str, course_uuid: str, mode: str) -> None:
    access.add(course_uuid)
    granted.send_robust(
        sender=grant,
        order_number=order_number,
        line_number=line_number,
        username=username,
        course_uuid=course_uuid,
        entitlement_uuid="one",
        mode=mode,
    )


@delivery_task
def put_out(*, course_key: str, course_uuid: str) -> None:
    access.discard(course_key or course_uuid)
