"""What `manage.py check` says of the mails' settings."""

from typing import Any

import pytest

from ..checks import check_mail_settings
from .shop import TASKS

TOLD = {"shop.signals.order_held": [f"{TASKS}.tell_operator_of_held_order"]}
RIGHT: dict[str, Any] = {
    "CC_SIGNALS": TOLD,
    "CC_OPERATOR_EMAILS": ["operator@example.com"],
    "CC_PUBLIC_URL": "https://coordinator.example.com",
    "CC_MAIL_LANGUAGE": "en",
}


@pytest.fixture
def found(settings):
    def check(**changes: Any) -> list[str | None]:
        for name, value in {**RIGHT, **changes}.items():
            setattr(settings, name, value)
        warnings = check_mail_settings()
        assert all(each.hint for each in warnings)
        return [each.id for each in warnings]

    return check


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"CC_OPERATOR_EMAILS": "a@example.com, b@example.com"}, []),
        ({"CC_OPERATOR_EMAILS": []}, ["notifications.W001"]),
        ({"CC_OPERATOR_EMAILS": ""}, ["notifications.W001"]),
        ({"CC_OPERATOR_EMAILS": ["operator"]}, ["notifications.W001"]),
        ({"CC_OPERATOR_EMAILS": ["a@example.com", "operator"]}, ["notifications.W002"]),
        ({"CC_OPERATOR_EMAILS": ["a@example.com", "a@example.com"]}, ["notifications.W002"]),
        ({"CC_PUBLIC_URL": ""}, ["notifications.W003"]),
        ({"CC_PUBLIC_URL": "coordinator.example.com"}, ["notifications.W003"]),
        ({"CC_PUBLIC_URL": "javascript:alert(1)"}, ["notifications.W003"]),
        ({"CC_MAIL_LANGUAGE": "de-at"}, []),
        ({"CC_MAIL_LANGUAGE": "fr"}, ["notifications.W004"]),
        (
            {"CC_OPERATOR_EMAILS": [], "CC_PUBLIC_URL": "", "CC_MAIL_LANGUAGE": "xx"},
            ["notifications.W004", "notifications.W001", "notifications.W003"],
        ),
        ({"CC_SIGNALS": {"shop.signals.order_held": []}, "CC_OPERATOR_EMAILS": [], "CC_PUBLIC_URL": ""}, []),
    ],
)
def test_each_mistake_is_warned_of(found, changes: dict[str, Any], ids: list[str]) -> None:
    assert found(**changes) == ids


def test_languages_that_there_are_are_named(settings) -> None:
    settings.CC_MAIL_LANGUAGE = "fr"
    [warning] = check_mail_settings()
    assert "de, en" in (warning.hint or "")
