"""`manage.py simulate`: what a sending would do, and nothing is done."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as present
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commerce_coordinator.core.signals.tests.plugin_of_a_test import plugin_of_a_test, shipped_signals_only
from commerce_coordinator.payloads.base import Payload, PrivateText
from commerce_coordinator.settings import routes

from .typed import Typed

PAYPAL_CAPTURED = "commerce_coordinator.plugins.paypal.signals.payment_captured"

pytestmark = pytest.mark.needs_plugins(
    "stripe", "paypal", "fulfillment", "lms", "notifications", "ecommerce", "order_history", "demo_lms"
)

VALUES = {
    "provider": "paypal",
    "account": "",
    "payment_id": "C1",
    "order_number": "EDX-1",
    "money": {"amount": 14900, "currency": "USD"},
    "captured_at": "2026-03-01T12:00:00Z",
    "username": "ann-the-learner",
}


@pytest.fixture(autouse=True)
def shipped(settings: Any) -> Any:
    """The shipped maps are the present ones, without the demo's additions; other tests' signals are away."""
    settings.CC_SIGNALS = {**present.CC_SIGNALS, **routes.CC_SIGNALS}
    settings.OPEN_EDX_FILTERS_CONFIG = {**present.OPEN_EDX_FILTERS_CONFIG, **routes.OPEN_EDX_FILTERS_CONFIG}
    with shipped_signals_only():
        yield


class SeatSold(Payload):
    order_number: str
    row: int = 1
    username: PrivateText = ""


@pytest.fixture
def payload(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "payload.json"
        path.write_text(text)
        return str(path)

    return write


def in_the_broker() -> list[Path]:
    """The embedded broker's messages: each is a file."""
    return sorted(each for each in (present.DATA_FOLDER / "broker").rglob("*") if each.is_file())


@pytest.mark.django_db
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_nothing_is_written_and_no_message_is_sent(payload: Any, form: tuple[str, ...]) -> None:
    before = in_the_broker()
    with CaptureQueriesContext(connection) as statements:
        shown = Typed("simulate", "paypal.payment_captured", "--payload", payload(json.dumps(VALUES)), *form)
    assert (shown.failure, [each["sql"] for each in statements]) == ("", [])
    assert in_the_broker() == before


def test_sending_is_shown_down_to_the_leaves(payload: Any) -> None:
    shown = Typed("simulate", "paypal.payment_captured", "--payload", payload(json.dumps(VALUES)))
    assert shown.failure == ""
    assert shown.out.startswith("signal paypal.payment_captured EDX-1\n└─ fulfillment.place_order  [task]\n")
    assert '"money": {"amount": 14900, "currency": "USD"}' in shown.out
    assert "lms.enroll_learner  [task]" in shown.out
    assert '"username": "•••"' in shown.out
    assert shown.out.endswith("Nothing was sent, and nothing written.\n")


def test_programs_get_the_same(payload: Any) -> None:
    shown = Typed("simulate", "paypal.payment_captured", "--payload", payload(json.dumps(VALUES)), "--json").json
    (place_order,) = shown["receivers"]
    assert (shown["signal"], shown["unrouted"], place_order["kind"]) == (PAYPAL_CAPTURED, False, "task")
    assert shown["payload"]["username"] == place_order["arguments"]["username"] == "•••"
    assert "captured_at" not in place_order["arguments"]  # it takes no such parameter
    _, placed = place_order["sends"]
    assert placed["signal"].endswith(".order_placed")
    enrollment, _ = placed["receivers"][0]["sends"]
    assert enrollment["receivers"][0]["receiver"].endswith(".lms.tasks.enroll_learner")
    assert enrollment["receivers"][0]["sends"][0]["signal"].endswith(".lms.signals.enrollment_refused")


def test_payload_may_come_by_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(VALUES).encode()), encoding="ascii"))
    assert "lms.enroll_learner" in Typed("simulate", "paypal.payment_captured", "--payload", "-").out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff"), encoding="utf-8"))
    failure = Typed("simulate", "paypal.payment_captured", "--payload", "-").failure
    assert failure == "The standard input is not valid JSON in UTF-8."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"order_number": 7}', "order_number: Input should be a valid string"),
        ('{"order_number": "EDX-1", "colour": "red"}', "colour: Extra inputs are not permitted"),
        ("[]", "must hold a JSON object"),
        ("{", "is not valid JSON in UTF-8"),
        ('{"order_number": NaN}', "is not valid JSON in UTF-8"),
        ('{"order_number": "\\u0000"}', "has a NUL or half a surrogate pair in it"),
        ("[" * 5000, "is not valid JSON in UTF-8"),
    ],
)
def test_payload_that_does_not_fit_is_refused(payload: Any, text: str, told: str) -> None:
    assert told in Typed("simulate", "paypal.payment_captured", "--payload", payload(text)).failure


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    failure = Typed("simulate", "paypal.payment_captured", "--payload", str(tmp_path / "x.json")).failure
    assert failure == f"{tmp_path / 'x.json'} cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("paypal.payment_capture", "Did you mean paypal.payment_captured?"),
        (f"{PAYPAL_CAPTURED}s", f"Did you mean {PAYPAL_CAPTURED}?"),
        ("nothing.like_it", "There is no signal nothing.like_it. `manage.py routes`"),
    ],
)
def test_signal_that_does_not_exist_is_named_with_the_nearest(payload: Any, name: str, told: str) -> None:
    assert told in Typed("simulate", name, "--payload", payload("{}")).failure


@pytest.fixture
def shop(shipped: Any) -> Any:
    with plugin_of_a_test() as plugin:
        yield plugin


def test_receiver_is_given_what_it_takes_and_an_unrouted_sending_is_told(
    shop: Any, settings: Any, payload: Any
) -> None:
    @shop.receiver
    def count(row: int) -> None:
        raise AssertionError("It ran.")

    @shop.receiver
    def keep(**values: Any) -> None:
        raise AssertionError("It ran.")

    shop.signal("seat_sold", SeatSold, subject="order_number")
    settings.CC_SIGNALS = {**shop.whole_map, "test_shop.seat_sold": ["test_shop.count", "test_shop.keep"]}
    path = payload('{"order_number": "EDX-1", "username": "ann"}')
    out = Typed("simulate", "test_shop.seat_sold", "--payload", path).out
    assert 'test_shop.count  [inline]\n│  └─ is given {"row": 1}' in out
    assert 'is given {"order_number": "EDX-1", "row": 1, "username": "•••"}' in out
    settings.CC_SIGNALS = shop.whole_map
    assert "kept as unrouted" in Typed("simulate", "test_shop.seat_sold", "--payload", path).out


class SeatGiven(Payload):
    to: PrivateText


def test_subject_that_is_private_is_hidden(shop: Any, settings: Any, payload: Any) -> None:
    shop.signal("seat_given", SeatGiven, subject="to")
    settings.CC_SIGNALS = shop.whole_map
    out = Typed("simulate", "test_shop.seat_given", "--payload", payload('{"to": "ann-the-learner"}')).out
    assert out.startswith("signal test_shop.seat_given •••\n")
