"""How often one may call: learners by their user, nobody by his address, staff and services as they like."""

from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from commerce_coordinator.core.rest.permissions import IsLearner
from commerce_coordinator.core.rest.testing import as_user
from commerce_coordinator.core.rest.throttles import parse_rate


class ForLearners(APIView):
    permission_classes = [IsLearner]

    def get(self, request: Any) -> Response:
        return Response()


class ForAll(ForLearners):
    permission_classes = [AllowAny]


@pytest.fixture(autouse=True)
def three_a_minute(settings: Any) -> None:
    settings.CC_THROTTLE_USER = "3/min"
    settings.CC_THROTTLE_ANONYMOUS = "2/min"


def calls(client: Client, path: str, count: int, **call: Any) -> list[int]:
    return [client.get(path, **call).status_code for _ in range(count)]


@pytest.mark.django_db
def test_the_fourth_call_of_a_minute_is_told_when_to_come_back(mount: Any, client: Client) -> None:
    path = mount(ForLearners)
    with time_machine.travel("2026-01-01T12:00:15Z", tick=False) as clock:
        assert calls(client, path, 3, headers=as_user("ada")) == [200] * 3
        response = client.get(path, headers=as_user("ada"))
        assert response.status_code == 429
        assert response.headers["Retry-After"] == "45"
        assert response.json()["error"]["code"] == "throttled"
        assert client.get(path, headers=as_user("bob", lms_user_id=7)).status_code == 200, "another learner"
        clock.shift(45)
        assert client.get(path, headers=as_user("ada")).status_code == 200


@pytest.mark.django_db
def test_staff_and_services_are_never_throttled(mount: Any, client: Client) -> None:
    assert calls(client, mount(ForLearners), 9, headers=as_user("worker", staff=True)) == [200] * 9


@pytest.mark.django_db
def test_nobody_is_counted_by_the_address_that_the_proxy_saw(mount: Any, client: Client) -> None:
    path = mount(ForAll)
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        assert calls(client, path, 3) == [200, 200, 429]
        # What the caller himself writes in front does not make him another.
        for forged, status in (("1.1.1.1", 200), ("2.2.2.2", 200), ("3.3.3.3", 429)):
            header = {"X-Forwarded-For": f"{forged}, 198.51.100.7"}
            assert client.get(path, headers=header).status_code == status
        assert client.get(path, headers={"X-Forwarded-For": "x\ty z\x01" * 99}).status_code == 200


@pytest.mark.django_db
def test_an_empty_rate_is_no_limit(mount: Any, client: Client, settings: Any) -> None:
    settings.CC_THROTTLE_ANONYMOUS = ""
    assert calls(client, mount(ForAll), 9) == [200] * 9


@pytest.mark.django_db
@pytest.mark.parametrize("error", [ConnectionError, ValueError, RuntimeError])
def test_a_cache_that_is_away_stops_nobody(
    mount: Any, client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise error("away")

    path = mount(ForLearners)
    monkeypatch.setattr(type(cache._connections["default"]), "add", away)  # type: ignore[attr-defined]
    assert calls(client, path, 5, headers=as_user("ada")) == [200] * 5


@pytest.mark.parametrize(("rate", "parsed"), [("1/s", (1, 1)), ("120/min", (120, 60)), ("9/h", (9, 3600))])
def test_rates_are_calls_per_unit(rate: str, parsed: tuple[int, int]) -> None:
    assert parse_rate(rate) == parsed


@pytest.mark.parametrize("rate", ["", "120", "0/min", "-1/min", "x/min", "1/minute", "1/ min", "1/d\n"])
def test_a_rate_that_is_none_says_what_would_be_right(rate: str) -> None:
    with pytest.raises(ValueError, match="120/min"):
        parse_rate(rate)
