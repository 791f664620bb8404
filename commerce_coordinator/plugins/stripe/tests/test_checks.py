"""CC_STRIPE_...: mistakes and doubts are named with what would be right; production starts with no mistake."""

from typing import Any

import pytest

from commerce_coordinator.settings import operator, stripe_accounts

from ..checks import _NAMES, LOCAL_SECRETS, check_settings

RIGHT: dict[str, Any] = {
    "CC_STRIPE_SECRETS": {"": ["whsec_9Xk2", "whsec_7Pm4"], "eu": ["whsec_3Qn8"]},
    "CC_STRIPE_API_KEYS": {"": "rk_live_5Jd7", "eu": "sk_live_8Wb3"},
    "CC_STRIPE_LIVEMODE": True,
    "CC_STRIPE_TOLERANCE": 300,
    "CC_STRIPE_API_URL": "https://api.stripe.com",
    "CC_STRIPE_CONNECT_TIMEOUT": 3.05,
    "CC_STRIPE_READ_TIMEOUT": 20.0,
}

#: What is set otherwise, and what must be said.
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "secrets as a text": ({"CC_STRIPE_SECRETS": "whsec_9Xk2", "CC_STRIPE_API_KEYS": {}}, "must map each account"),
    "one secret as a text": ({"CC_STRIPE_SECRETS": {"": "whsec_9Xk2", "eu": ["whsec_3"]}}, "must map each account"),
    "empty secret": ({"CC_STRIPE_SECRETS": {"": ["whsec_9Xk2", " "], "eu": ["whsec_3"]}}, "must map each account"),
    "name that is no part of an address": (
        {"CC_STRIPE_SECRETS": {**RIGHT["CC_STRIPE_SECRETS"], "e u": ["whsec_1"]}},
        "CC_STRIPE_SECRETS has an account whose name",
    ),
    "unknown account": (
        {"CC_STRIPE_API_KEYS": {"": "rk_live_5Jd7", "us": "rk_live_5Jd7"}},
        'account "us": CC_STRIPE_SECRETS knows no such account (it knows "", "eu")',
    ),
    "test key in production": ({"CC_STRIPE_API_KEYS": {"": "sk_test_5Jd7"}}, "this is a key of test mode"),
    "live key in a test": ({"CC_STRIPE_LIVEMODE": False, "CC_STRIPE_API_KEYS": {"": "rk_live_1"}}, "of live mode"),
    "publishable key": ({"CC_STRIPE_API_KEYS": {"": "pk_live_5Jd7"}}, 'account "": this is no secret key'),
    "signing secret for a key": ({"CC_STRIPE_API_KEYS": {"eu": "whsec_3Qn8"}}, 'account "eu": this is no secret key'),
    "key that is a list": ({"CC_STRIPE_API_KEYS": {"": ["rk_live_5Jd7"]}}, "this is no secret key"),
    "keys as a text": ({"CC_STRIPE_API_KEYS": "rk_live_5Jd7"}, "CC_STRIPE_API_KEYS must map each account"),
    "tolerance 0": ({"CC_STRIPE_TOLERANCE": 0}, "0 switches the check of the timestamp off"),
    "tolerance below 0": ({"CC_STRIPE_TOLERANCE": -1}, "must be seconds above 0"),
    "tolerance as a text": ({"CC_STRIPE_TOLERANCE": "300"}, "must be seconds above 0"),
    "tolerance that is true": ({"CC_STRIPE_TOLERANCE": True}, "must be seconds above 0"),
    "livemode as a text": ({"CC_STRIPE_LIVEMODE": "true"}, "must be true, false or null"),
    "address without scheme": ({"CC_STRIPE_API_URL": "api.stripe.com"}, "CC_STRIPE_API_URL must be"),
    "address that nobody can read": ({"CC_STRIPE_API_URL": "http://[x"}, "CC_STRIPE_API_URL must be"),
    "address that is none": ({"CC_STRIPE_API_URL": None}, "CC_STRIPE_API_URL must be"),
    "no time to connect": ({"CC_STRIPE_CONNECT_TIMEOUT": 0}, "CC_STRIPE_CONNECT_TIMEOUT must be seconds above 0"),
    "time as a text": ({"CC_STRIPE_READ_TIMEOUT": "20"}, "CC_STRIPE_READ_TIMEOUT must be seconds above 0"),
    "endless time": ({"CC_STRIPE_READ_TIMEOUT": float("inf")}, "CC_STRIPE_READ_TIMEOUT must be seconds above 0"),
}
DOUBTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "test mode": (
        {"CC_STRIPE_LIVEMODE": False, "CC_STRIPE_API_KEYS": {"": "sk_test_1", "eu": "rk_test_2"}},
        "W001",
        "test",
    ),
    "both modes": ({"CC_STRIPE_LIVEMODE": None}, "W001", "CC_STRIPE_LIVEMODE takes events of Stripe's test mode"),
    "account without a key": ({"CC_STRIPE_API_KEYS": {"": "rk_live_5Jd7"}}, "W002", 'no key for the account "eu"'),
    "API key for a secret": (
        {"CC_STRIPE_SECRETS": {"": ["whsec_1"], "eu": ["whsec_2", "sk_live_3"]}},
        "W003",
        'CC_STRIPE_SECRETS, account "eu"',
    ),
    "tolerance of hours": ({"CC_STRIPE_TOLERANCE": 3601}, "W004", "more than an hour"),
    "key in the clear": ({"CC_STRIPE_API_URL": "http://stripe.example.com"}, "W005", "not https"),
}


def put(settings: Any, changes: dict[str, Any]) -> None:
    for name, value in {**RIGHT, **changes}.items():
        setattr(settings, name, value)


def in_production(changes: dict[str, Any]) -> list[str]:
    apps = ["commerce_coordinator.plugins.stripe"]
    return [text for text in operator.complaints({"INSTALLED_APPS": apps, **RIGHT, **changes}) if "STRIPE" in text]


def test_each_setting_of_stripes_is_looked_at() -> None:
    from commerce_coordinator.settings import base

    assert set(_NAMES) == set(RIGHT) == {name for name in vars(base) if name.startswith("CC_STRIPE_")}


@pytest.mark.parametrize(
    "changes",
    [{}, {"CC_STRIPE_TOLERANCE": 3600}, {"CC_STRIPE_API_URL": "http://127.0.0.1:12111"}],
)
def test_what_is_right_is_no_reason_to_complain(settings: Any, changes: dict[str, Any]) -> None:
    put(settings, changes)
    assert (check_settings(), in_production(changes)) == ([], [])


@pytest.mark.parametrize(("changes", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named_with_what_would_be_right(settings: Any, changes: dict[str, Any], told: str) -> None:
    put(settings, changes)
    [check] = check_settings()
    assert (check.id, told in check.msg, check.is_serious()) == ("stripe.E001", True, True)
    assert check.msg.startswith("CC_STRIPE_")
    assert in_production(changes) == [check.msg]


@pytest.mark.parametrize(("changes", "number", "told"), DOUBTS.values(), ids=DOUBTS.keys())
def test_doubt_is_told_and_keeps_nobody_from_starting(
    settings: Any, changes: dict[str, Any], number: str, told: str
) -> None:
    put(settings, changes)
    [check] = check_settings()
    assert (check.id, told in check.msg, check.is_serious()) == (f"stripe.{number}", True, False)
    assert check.hint
    assert in_production(changes) == []


def test_all_mistakes_come_at_once() -> None:
    changes = {"CC_STRIPE_TOLERANCE": 0, "CC_STRIPE_LIVEMODE": "yes", "CC_STRIPE_API_KEYS": {"us": "pk_live_1"}}
    assert len(stripe_accounts.complaints({**RIGHT, **changes})) == 4


def test_no_secret_is_in_what_is_said(settings: Any) -> None:
    for changes, *_ in (*MISTAKES.values(), *DOUBTS.values()):
        put(settings, changes)
        said = str([(check.msg, check.hint) for check in check_settings()])
        secrets = ("9Xk2", "7Pm4", "3Qn8", "5Jd7", "8Wb3")
        assert [secret for secret in secrets if secret in said] == []


def test_laptop_is_as_it_should_be(settings: Any) -> None:
    put(settings, {"CC_STRIPE_LIVEMODE": None, "CC_STRIPE_API_KEYS": {}})
    assert check_settings() != []
    settings.CC_STRIPE_SECRETS = LOCAL_SECRETS
    assert check_settings() == []
    put(settings, {"CC_STRIPE_LIVEMODE": None})
    settings.DEBUG = True
    assert check_settings() == []


def test_without_the_plugin_nothing_is_demanded() -> None:
    found = operator.complaints({"INSTALLED_APPS": [], "CC_STRIPE_TOLERANCE": 0})
    assert [text for text in found if "STRIPE" in text] == []
