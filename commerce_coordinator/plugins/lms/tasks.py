"""What we do on the LMS. It ignores idempotency keys, so each task looks before it acts."""

from commerce_coordinator.core.deliveries.running import running_attempt
from commerce_coordinator.core.deliveries.tasks import delivery_task

from .client import lms_client


@delivery_task
def enroll_learner(*, order_number: str, line_number: int, username: str, course_key: str, mode: str) -> None:
    """Let the learner into the course, unless he is in already in this mode."""
    client = lms_client()
    found = client.enrollment(username, course_key)
    if found and found.get("is_active") and found.get("mode") == mode:
        return
    attempt = running_attempt()
    client.enroll(
        username=username,
        course_key=course_key,
        mode=mode,
        attributes=[
            # A later refund finds its order by these.
            {"namespace": "order", "name": "order_number", "value": order_number},
            {"namespace": "order", "name": "order_id", "value": order_number},
            {"namespace": "order", "name": "line_item_id", "value": f"{order_number}-{line_number}"},
        ],
        idempotency_key=attempt.idempotency_key if attempt else None,
    )
