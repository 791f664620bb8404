"""Private values are for whoever has the permission, and lists show none to anybody."""

import pytest
from django.db.models import Model
from django.test import Client

from commerce_coordinator.console.admin.showing import list_of, page_of
from commerce_coordinator.core.deliveries.models import Attempt, Delivery, Dispatch
from commerce_coordinator.core.inbox.models import InboxEvent
from commerce_coordinator.core.telemetry.masking import MASK

from .test_admin_rows import PRIVATE, VIEW_ALL, Story, client_of, stage, story  # noqa: F401

pytestmark = pytest.mark.django_db

PLACES = {"event": "body", "sold": "payload", "venue": "error", "venue_attempt": "error"}


def content_of(client: Client, row: Model) -> str:
    response = client.get(page_of(type(row), row.pk))
    assert response.status_code == 200
    return response.content.decode()


def all_rows(told: Story) -> list[Model]:
    return [getattr(told, name) for name in Story.__dataclass_fields__]


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_private_values_are_hidden_without_the_permission(name: str, place: str) -> None:
    told = story()
    content = content_of(client_of(*VIEW_ALL, "console.replay"), getattr(told, name))
    assert PRIVATE[place] not in content
    assert MASK in content


@pytest.mark.parametrize(("name", "place"), PLACES.items())
def test_private_values_are_shown_with_the_permission(name: str, place: str) -> None:
    told = story()
    content = content_of(client_of(*VIEW_ALL, "console.view_private"), getattr(told, name))
    assert PRIVATE[place] in content


def test_what_is_not_private_in_a_payload_is_shown_to_all() -> None:
    content = content_of(client_of(*VIEW_ALL), story().sold)
    assert "&quot;country&quot;: &quot;NZ&quot;" in content
    assert f"&quot;name&quot;: &quot;{MASK}&quot;" in content


def test_no_page_tells_a_private_value_without_the_permission() -> None:
    told = story()
    client = client_of(*VIEW_ALL, "console.replay")
    for row in all_rows(told):
        content = content_of(client, row)
        assert not [place for place, value in PRIVATE.items() if value in content], row


def test_lists_show_private_values_to_nobody() -> None:
    story()
    client = client_of(superuser=True)
    for model in (InboxEvent, Dispatch, Delivery, Attempt):
        content = client.get(list_of(model)).content.decode()
        assert not [place for place, value in PRIVATE.items() if value in content], model


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Dispatch, {"payload__buyers__0__name": PRIVATE["payload"]}),
        (Dispatch, {"payload__icontains": PRIVATE["payload"]}),
        (Delivery, {"error_text__startswith": PRIVATE["error"]}),
        (Delivery, {"dispatch__payload__icontains": PRIVATE["payload"]}),
        (Attempt, {"error_text": PRIVATE["error"]}),
        (InboxEvent, {"reason__contains": "x"}),
    ],
)
def test_private_values_cannot_be_guessed_by_filtering(
    model: type[Model], query: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    story()
    assert client_of(superuser=True).get(list_of(model), query).status_code == 400
