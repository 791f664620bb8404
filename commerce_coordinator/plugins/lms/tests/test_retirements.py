"""Who may retire a learner, and what the plugins are told. What is erased: commerce_coordinator/tests."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.retirement.models import Retirement
from commerce_coordinator.core.testing import assert_not_sent, assert_sent

from ..signals import user_retired
from .callers import LEARNER, MAY_NOT, headers_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def retire(client: Client, caller: str = "staff", lms_user_id: int = 84213577) -> Any:
    body = {"edx_lms_user_id": lms_user_id}
    return client.post("/lms/user_retirement/", body, content_type="application/json", headers=headers_of(caller))


def test_plugins_are_told_once_and_the_answer_is_empty(client: Client) -> None:
    answers = [retire(client), retire(client)]
    assert [(each.status_code, each.content) for each in answers] == [(204, b""), (204, b"")]
    assert_sent(user_retired, times=1, lms_user_id=84213577)


def test_signal_that_no_plugin_needs_is_not_held_up_to_the_operator(client: Client) -> None:
    retire(client)
    assert not Dispatch.objects.get(signal=user_retired.name).unrouted


@pytest.mark.parametrize(("caller", "status"), [("anonymous", 401), *MAY_NOT.items()])
def test_learner_retires_nobody_not_even_himself(client: Client, caller: str, status: int) -> None:
    get_user_model().objects.create_user(**LEARNER)
    assert retire(client, caller).status_code == status
    assert not Retirement.objects.exists()
    assert get_user_model().objects.filter(**LEARNER).exists()
    assert_not_sent(user_retired)


@pytest.mark.parametrize("body", [{}, {"edx_lms_user_id": "x"}, {"edx_lms_user_id": 0}, {"user": 1}])
def test_bad_input_is_400_and_names_the_field(client: Client, body: Any) -> None:
    answer = client.post("/lms/user_retirement/", body, content_type="application/json", headers=headers_of("staff"))
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["edx_lms_user_id"])
