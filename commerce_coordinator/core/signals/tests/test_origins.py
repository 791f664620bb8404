"""Which processes may record signals: a wrong setting does not start."""

from typing import Any

import pytest

from commerce_coordinator.core.deliveries.models import Dispatch
from commerce_coordinator.core.exceptions import SendingConfined, WrongMap
from commerce_coordinator.core.signals import origins
from commerce_coordinator.core.signals.checks import enforce
from commerce_coordinator.core.signals.mistakes import ORIGIN_MISTAKES

ALL = ["web", "api", "worker", "command"]


@pytest.fixture(autouse=True)
def way_to_the_api(settings: Any) -> None:
    settings.CC_API_URL = "https://coordinator.example.com"
    settings.CC_API_CLIENT_ID, settings.CC_API_CLIENT_SECRET = "senders", "s"


ROWS = [
    ("E030", {"CC_SIGNAL_ORIGINS": "web,api"}, "is no list of origins"),
    ("E030", {"CC_SIGNAL_ORIGINS": None}, "is no list of origins"),
    ("E030", {"CC_SIGNAL_ORIGINS": [*ALL, 5]}, "is no list of origins"),
    ("E030", {"CC_SIGNAL_ORIGINS": [*ALL, "celery"]}, "has 'celery', which is no origin"),
    ("E031", {"CC_SIGNAL_ORIGINS": ["api", "worker", "command"]}, "lacks web, where events come in"),
    ("E031", {"CC_SIGNAL_ORIGINS": ["web", "worker"]}, "lacks api, through which command would send"),
    ("E032", {"CC_SIGNAL_ORIGINS": ["web", "api"], "CC_API_URL": ""}, "confines command and worker, but CC_API_URL"),
    ("E032", {"CC_SIGNAL_ORIGINS": ["web", "api", "command"], "CC_API_URL": "coordinator:80"}, "confines worker"),
    ("E032", {"CC_SIGNAL_ORIGINS": ["web", "api"], "CC_API_CLIENT_SECRET": ""}, "CC_API_CLIENT_ID and"),
    ("E032", {"CC_SIGNAL_ORIGINS": ["web", "api"], "CC_LMS_URL_ROOT": ""}, "CC_LMS_URL_ROOT, where the token"),
]


@pytest.mark.parametrize(("number", "wrong", "words"), ROWS)
def test_wrong_setting_does_not_start(settings: Any, number: str, wrong: dict[str, Any], words: str) -> None:
    for name, value in wrong.items():
        setattr(settings, name, value)
    [found] = origins.mistakes()
    assert found.id == f"cc.{number}"
    assert words in found.msg
    assert found.hint
    with pytest.raises(WrongMap, match=f"cc.{number}"):
        enforce()


def test_every_mistake_has_a_row() -> None:
    assert {row[0] for row in ROWS} == set(ORIGIN_MISTAKES)


@pytest.mark.parametrize("right", [ALL, ["web", "api"], ["web", "worker", "command"], ("web", "api", "worker")])
def test_right_setting_starts(settings: Any, right: Any) -> None:
    settings.CC_SIGNAL_ORIGINS = right
    assert origins.mistakes() == []


def test_unconfined_service_needs_no_way_to_the_api(settings: Any) -> None:
    settings.CC_SIGNAL_ORIGINS, settings.CC_API_URL = ALL, ""
    assert origins.mistakes() == []


@pytest.mark.django_db
def test_nothing_records_in_a_confined_process(shop: Any, settings: Any) -> None:
    """Not even what goes round send_robust."""
    seat_sold = shop.signal("seat_sold")
    settings.CC_SIGNAL_ORIGINS, settings.CC_ORIGIN = ["web", "api"], "worker"
    with pytest.raises(SendingConfined, match="CC_SIGNAL_ORIGINS"):
        seat_sold.record("test", {})
    assert not Dispatch.objects.exists()
    settings.CC_ORIGIN = "web"
    assert seat_sold.record("test", {}).new
