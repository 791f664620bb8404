"""CC_PAYPAL: each mistake is named with what would be right; production does not start with one."""

from pathlib import Path
from typing import Any

import pytest

from commerce_coordinator.settings import operator, paypal_accounts

from ..checks import check_accounts
from .paypal_events import ACCOUNTS

LIVE = {**ACCOUNTS["shop"], "verification": "offline"}

#: What is changed in an account that is right, and what must be said.
MISTAKES: dict[str, tuple[Any, str]] = {
    "no webhook id": ({"webhook_ids": ...}, "webhook_ids must be a list"),
    "empty list of webhook ids": ({"webhook_ids": []}, "webhook_ids must be a list"),
    "webhook ids as a text": ({"webhook_ids": "5WH"}, "webhook_ids must be a list"),
    "webhook id that is a number": ({"webhook_ids": 7, "environment": "live"}, "webhook_ids must be a list"),
    "blank webhook id": ({"webhook_ids": ["5WH", " "]}, "webhook_ids must be a list"),
    "no client id": ({"client_id": ""}, "client_id is missing"),
    "no secret": ({"client_secret": ...}, "client_secret is missing"),
    "secret that is a number": ({"client_secret": 7}, "client_secret is missing"),
    "no environment": ({"environment": ...}, "environment must be one of live, sandbox"),
    "unknown environment": ({"environment": "production"}, "environment must be one of live, sandbox"),
    "unknown verification": ({"verification": "none"}, "verification must be one of offline, postback"),
    "unknown field": ({"webhook_id": "5WH"}, "there is no field webhook_id"),
    "api_url that is none": ({"api_url": "api-m.paypal.com"}, "api_url must be"),
    "api_url that nobody can read": ({"api_url": "http://[x"}, "api_url must be"),
}
KNOWN = {
    "known webhook id": ({"webhook_ids": ["local-webhook-id"]}, "webhook_ids has a value that everybody knows"),
    "the simulator's webhook id": ({"webhook_ids": ["WEBHOOK_ID"]}, "webhook_ids has a value that everybody knows"),
    "known secret": ({"client_secret": "local-paypal-secret"}, "client_secret is a value that everybody knows"),
}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**LIVE, **changes}.items() if value is not ...}


def in_production(accounts: Any, roots: str = "") -> list[str]:
    found = operator.complaints(
        {
            "INSTALLED_APPS": ["commerce_coordinator.plugins.paypal"],
            "CC_PAYPAL": accounts,
            "CC_PAYPAL_TRUSTED_ROOTS": roots,
        }
    )
    return [each for each in found if "PAYPAL" in each]


@pytest.mark.parametrize("accounts", [{}, None, {"": LIVE}, {"": LIVE, "eu-1": {**LIVE, "api_url": "http://x:1"}}])
def test_what_is_right_is_no_reason_to_complain(settings: Any, accounts: Any) -> None:
    settings.CC_PAYPAL = accounts
    assert (check_accounts(), in_production(accounts)) == ([], [])


@pytest.mark.parametrize(("changes", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named_with_what_would_be_right(settings: Any, changes: dict[str, Any], told: str) -> None:
    settings.CC_PAYPAL = {"shop": changed(changes)}
    [check] = check_accounts()
    assert (check.id, told in check.msg) == ("paypal.E001", True)
    assert check.msg.startswith('CC_PAYPAL, account "shop": ')
    assert in_production(settings.CC_PAYPAL) == [check.msg]


@pytest.mark.parametrize(("changes", "told"), KNOWN.values(), ids=KNOWN.keys())
def test_production_takes_no_value_that_everybody_knows(changes: dict[str, Any], told: str) -> None:
    [complaint] = in_production({"": changed(changes)})
    assert told in complaint


@pytest.mark.parametrize("accounts", [["shop"], "shop", {"shop": "5WH"}, {"a b": LIVE}, {7: LIVE}])
def test_other_shapes_are_named(settings: Any, accounts: Any) -> None:
    settings.CC_PAYPAL = accounts
    assert [check.id for check in check_accounts()] == ["paypal.E001"]
    assert len(in_production(accounts)) == 1


def test_all_mistakes_come_at_once() -> None:
    assert len(paypal_accounts.complaints({"": {}, "eu": {}})) == 8


def test_no_secret_is_in_what_is_said(settings: Any) -> None:
    assert "k9Qe" not in str(in_production({"": {**LIVE, "environment": "x"}}))


def test_sandbox_outside_a_laptop_is_doubtful(settings: Any) -> None:
    settings.CC_PAYPAL = {"": {**LIVE, "environment": "sandbox"}}
    [check] = check_accounts()
    assert (check.id, check.is_serious()) == ("paypal.W001", False)
    settings.DEBUG = True
    assert check_accounts() == []


def test_roots_that_cannot_be_read_are_named(settings: Any, tmp_path: Path) -> None:
    settings.CC_PAYPAL = {"": LIVE}
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (str(tmp_path / "nowhere.pem"), str(tmp_path), str(empty), 7, "nul\0"):
        settings.CC_PAYPAL_TRUSTED_ROOTS = path
        [check] = check_accounts()
        assert (check.id, check.msg.startswith("CC_PAYPAL_TRUSTED_ROOTS")) == ("paypal.E002", True)
        assert in_production({"": LIVE}, path) == [check.msg]


def test_without_the_plugin_nothing_is_demanded() -> None:
    found = operator.complaints({"INSTALLED_APPS": [], "CC_PAYPAL": {"": {}}})
    assert [each for each in found if "PAYPAL" in each] == []
