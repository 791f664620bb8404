"""Who may call: by what he is and by what his token allows."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.permissions import IsLearner, IsStaff
from commerce_coordinator.core.rest.testing import as_user


class ForLearners(APIView):
    permission_classes = [IsLearner]

    def get(self, request: Any) -> Response:
        return Response()


class ForStaff(ForLearners):
    permission_classes = [IsStaff]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("claims", "for_learners", "for_staff"),
    [
        ({}, 200, 403),
        ({"staff": True}, 200, 200),
        ({"staff": True, "is_restricted": True}, 403, 403),
        ({"is_restricted": True}, 403, 403),
        ({"superuser": True}, 200, 403),
        ({"administrator": "true"}, 200, 403),
    ],
)
def test_each_view_lets_in_whom_it_is_for(
    mount: Any, client: Client, claims: dict[str, Any], for_learners: int, for_staff: int
) -> None:
    assert client.get(mount(ForLearners), headers=as_user("ada", **claims)).status_code == for_learners
    assert client.get(mount(ForStaff), headers=as_user("ada", **claims)).status_code == for_staff


@pytest.mark.django_db
def test_a_session_counts_as_much_as_a_token(mount: Any, client: Client) -> None:
    operator = get_user_model().objects.create_user("operator", is_staff=True)
    path = mount(ForStaff)
    assert client.get(path).status_code == 401
    client.force_login(operator)
    assert client.get(path).status_code == 200
    operator.is_active = False
    operator.save()
    assert client.get(path).status_code == 401
