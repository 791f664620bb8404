"""What a request asks must not grow with the tables: each look-up by an index, on every database."""

import pytest

from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.deliveries.tests.test_query_plans import assert_indexed, history  # noqa: F401
from commerce_coordinator.core.inbox.models import InboxEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_a_story_is_found_by_indexes(history: str) -> None:  # noqa: F811
    row = Dispatch.objects.get(event__event_id=history)
    delivery = Delivery.objects.get(dispatch=row)
    assert_indexed(Dispatch.objects.filter(person="1313"))
    assert_indexed(Dispatch.objects.filter(subject__in=[row.subject]))
    assert_indexed(Dispatch.objects.filter(event__in=[row.event_id]))
    assert_indexed(Dispatch.objects.filter(parent__in=[delivery.pk]))
    assert_indexed(Delivery.objects.filter(dispatch__in=[row.pk]))
    assert_indexed(Attempt.objects.filter(delivery__in=[delivery.pk]))
    assert_indexed(InboxEvent.objects.filter(pk__in=[row.event_id], body_kept__in=[True]))
